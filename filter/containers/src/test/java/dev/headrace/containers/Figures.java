package dev.headrace.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Keeps what a test has measured in {@code target/contract-figures.txt}, to be read by people. */
public final class Figures {

  private static final Path FILE = Path.of("target", "contract-figures.txt");

  private Figures() {}

  public static void note(ContainerKind kind, String what, String figure) {
    note(kind + ": " + what, figure);
  }

  /** A figure that has nothing to do with a container. */
  public static synchronized void note(String what, String figure) {
    try {
      Files.writeString(
          FILE,
          what + ": " + figure + System.lineSeparator(),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
