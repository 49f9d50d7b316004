package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads settings from a YAML file and the environment. An environment variable such as {@code
 * HEADRACE_UPSTREAM_BASE_URL} is stronger than the file, the file is stronger than what the
 * application gave in code, and that is stronger than the default. All methods are thread-safe.
 *
 * <p>Files that settings name (API key, certificates) are looked into as well, so that a missing
 * one is reported here. Relative paths in a file start at the folder of that file, and at the
 * working directory if the file is given as text or the path stands in an environment variable.
 */
public final class SettingsReader {
  static final String FILE = "a readable settings file in YAML";

  /** A settings file has some hundred lines; a larger one is another file, named by mistake. */
  private static final int MAX_FILE_BYTES = 256 * 1024;

  private SettingsReader() {}

  /**
   * Reads a file.
   *
   * @throws SettingsException with all problems, if there is any; also when the file cannot be read
   */
  public static LoadedSettings read(Path file, Environment environment) {
    return read(file, environment, GatewaySettings.builder());
  }

  /**
   * Reads a file over settings given in code.
   *
   * @param code what the application gave; not changed
   * @throws SettingsException with all problems, if there is any; also when the file cannot be read
   */
  public static LoadedSettings read(
      Path file, Environment environment, GatewaySettingsBuilder code) {
    requireNonNull(file, "file");
    try {
      return read(file, contentOf(file), file.toAbsolutePath().toString(), environment, code);
    } catch (BadValue e) {
      throw unreadable(file.toAbsolutePath().toString(), e);
    }
  }

  static LoadedSettings read(
      Path file,
      String content,
      String source,
      Environment environment,
      GatewaySettingsBuilder code) {
    String name = requireNonNull(file.getFileName(), "file name").toString();
    Path folder = requireNonNull(file.toAbsolutePath().getParent(), "folder");
    return new SettingsReading(name, RelativePaths.in(folder), environment, code)
        .read(content, source);
  }

  /**
   * Reads the text of a file.
   *
   * @param sourceName what error texts call it, such as {@code headrace.yaml}
   * @throws SettingsException with all problems, if there is any
   */
  public static LoadedSettings read(String yaml, String sourceName, Environment environment) {
    return read(yaml, sourceName, environment, GatewaySettings.builder());
  }

  /**
   * Reads the text of a file over settings given in code.
   *
   * @param sourceName what error texts call it, such as {@code headrace.yaml}
   * @param code what the application gave; not changed
   * @throws SettingsException with all problems, if there is any
   */
  public static LoadedSettings read(
      String yaml, String sourceName, Environment environment, GatewaySettingsBuilder code) {
    requireNonNull(yaml, "yaml");
    requireNonNull(sourceName, "sourceName");
    return new SettingsReading(sourceName, RelativePaths.OF_WORKING_DIRECTORY, environment, code)
        .read(yaml, sourceName);
  }

  static String contentOf(Path file) throws BadValue {
    try (InputStream in = Files.newInputStream(file)) {
      return contentOf(in);
    } catch (NoSuchFileException e) {
      throw BadValue.noted("does not exist", FILE);
    } catch (IOException e) {
      throw BadValue.noted(Files.isDirectory(file) ? "is a folder" : "cannot be read", FILE);
    }
  }

  /** Returns the text of a settings file. Does not close the stream. */
  static String contentOf(InputStream in) throws IOException, BadValue {
    return textOf(in.readNBytes(MAX_FILE_BYTES + 1), MAX_FILE_BYTES, "256KiB", FILE);
  }

  /** Returns the text of a file that was read up to one byte more than it may have. */
  static String textOf(byte[] bytes, int maxBytes, String shownMaximum, String expected)
      throws BadValue {
    if (bytes.length > maxBytes) {
      throw BadValue.noted("is larger than " + shownMaximum, expected);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw BadValue.noted("is not in UTF-8", expected);
    }
  }

  static SettingsException unreadable(String name, BadValue fault) {
    String text = fault.sentence(Shown.name(name));
    return new SettingsException(List.of(Problem.of(name, text, null)));
  }
}
