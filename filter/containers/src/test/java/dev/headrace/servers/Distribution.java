package dev.headrace.servers;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How one kind of server is set up and started. Stateless. */
abstract class Distribution {

  /**
   * One start.
   *
   * @param kind the server
   * @param servers folder with all distributions
   * @param base empty folder of this start
   * @param port to listen on, on 127.0.0.1
   * @param applications WAR files or unpacked ones by context name; {@code ROOT} for the root
   * @param jakartaEe such as {@code ee11}, for servers with several; null for their own choice
   * @param idleLimit what the server's own limits for silence are set to; null for its defaults
   */
  record Start(
      ServerKind kind,
      Path servers,
      Path base,
      int port,
      Map<String, Path> applications,
      @Nullable String jakartaEe,
      @Nullable Duration idleLimit) {

    /** The distribution, below a folder that has a version in its name. */
    Path home(String prefix) {
      return servers.resolve(prefix + kind.version());
    }

    /** The idle limit in milliseconds, or a default of the server's. */
    String idleMillis(long otherwise) {
      return Long.toString(idleLimit == null ? otherwise : idleLimit.toMillis());
    }
  }

  /**
   * What is to be run.
   *
   * @param jvmArguments before the class or jar, which they end with
   * @param arguments behind it
   * @param environment added to that of this process
   * @param webapps where applications are, one file or folder each; removing one undeploys it
   */
  record Launch(
      List<String> jvmArguments,
      List<String> arguments,
      Map<String, String> environment,
      Path webapps) {}

  abstract Launch prepare(Start start) throws IOException;

  abstract boolean offersH2c();

  /**
   * Whether all applications are there, or have failed, once the port answers.
   *
   * @param log all that the server has written
   */
  boolean isReady(Start start, Launch launch, String log) throws IOException {
    return true;
  }
}
