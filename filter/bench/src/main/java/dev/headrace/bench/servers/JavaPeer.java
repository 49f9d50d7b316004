package dev.headrace.bench.servers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A server on the JVM: a main class that is called with its own port, the upstream's, and further
 * words.
 *
 * @param jvm options of the JVM
 * @param classPath a file with it, beside the module's classes; null for the benchmark's own
 * @param mainClass as {@code java} wants it
 * @param arguments further ones
 * @param path at which it answers
 * @param headers that it demands
 */
record JavaPeer(
    String name,
    List<String> jvm,
    @Nullable Path classPath,
    String mainClass,
    List<String> arguments,
    String path,
    String headers)
    implements Peer {

  @Override
  public @Nullable String missing() {
    return classPath == null || Files.isReadable(classPath)
        ? null
        : "not built: mvn -Pbench package -DskipTests builds it";
  }

  @Override
  public ServerProcess start(int upstreamPort, Path directory) throws IOException {
    int port = ServerProcess.freePort();
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("bench.java", System.getProperty("java.home") + "/bin/java"));
    command.addAll(jvm);
    command.add("-Djava.io.tmpdir=" + directory);
    command.add("-cp");
    command.add(
        classPath == null
            ? System.getProperty("java.class.path")
            : classPath.resolveSibling("classes")
                + File.pathSeparator
                + Files.readString(classPath));
    command.add(mainClass);
    command.add(String.valueOf(port));
    command.add(String.valueOf(upstreamPort));
    command.add(directory.toString());
    command.addAll(arguments);
    return ServerProcess.start(command, port, directory.resolve("log"));
  }
}
