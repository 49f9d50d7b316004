package dev.headrace.bench.servers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A server on the JVM: a main class that is called with its own port, the upstream's, and further
 * words.
 *
 * @param jvm to run it on
 * @param classPath a file with it, beside the module's classes; null for the benchmark's own
 * @param mainClass as {@code java} wants it
 * @param library whose version is told: the artifact's name
 * @param arguments further ones
 * @param path at which it answers
 * @param headers that it demands
 */
record JavaPeer(
    String name,
    JvmVariant jvm,
    @Nullable Path classPath,
    String mainClass,
    String library,
    List<String> arguments,
    String path,
    String headers)
    implements Peer {

  /**
   * Compiler threads stay, so that what they have used can be read from them; the default ends idle
   * ones.
   */
  private static final String JIT_THREADS_STAY = "-XX:-UseDynamicNumberOfCompilerThreads";

  @Override
  public boolean onJvm() {
    return true;
  }

  @Override
  public String version() {
    try {
      Matcher jar =
          Pattern.compile("(?:^|[/\\\\:;])" + Pattern.quote(library) + "-(\\d[^/\\\\:;]*)\\.jar")
              .matcher(wholeClassPath());
      return jar.find() ? library + " " + jar.group(1) : "";
    } catch (IOException e) {
      return "";
    }
  }

  private String wholeClassPath() throws IOException {
    return classPath == null
        ? System.getProperty("java.class.path")
        : classPath.resolveSibling("classes") + File.pathSeparator + Files.readString(classPath);
  }

  @Override
  public @Nullable String missing() {
    return classPath == null || Files.isReadable(classPath)
        ? null
        : "not built: mvn -Pbench -pl filter/bench -am package -DskipTests builds it";
  }

  @Override
  public ServerProcess start(int upstreamPort, Path directory) throws IOException {
    int port = ServerProcess.freePort();
    List<String> command = new ArrayList<>();
    command.add(jvm.java().resolve("bin/java").toString());
    command.add(JIT_THREADS_STAY);
    command.add("-Djava.io.tmpdir=" + directory);
    command.add("-cp");
    command.add(wholeClassPath());
    command.addAll(jvm.options()); // last, so that -cp among them puts another version beside this
    command.add(mainClass);
    command.add(String.valueOf(port));
    command.add(String.valueOf(upstreamPort));
    command.add(directory.toString());
    command.addAll(arguments);
    return ServerProcess.start(command, port, directory.resolve("log"));
  }
}
