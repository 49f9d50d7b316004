package dev.headrace.bench.servers;

import java.nio.file.Path;
import java.util.List;

/**
 * A JVM for servers.
 *
 * @param name as it stands behind the server's name
 * @param java the folder of the JDK
 * @param options of the JVM
 */
public record JvmVariant(String name, Path java, List<String> options) {}
