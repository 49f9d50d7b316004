package dev.headrace.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;

/** Looks into the files that settings name: the API key, the certificates and others. */
final class KeyFiles {
  private static final int MAX_KEY_FILE_BYTES = 16 * 1024;

  private KeyFiles() {}

  /**
   * Reads the API key; the exception names the setting and the file, never the content.
   *
   * @param key the full key of the setting that names the file
   */
  static Secret readApiKey(String key, Path file) {
    try {
      return readKey(file);
    } catch (BadValue e) {
      throw Problems.only(key, e, Shown.path(file));
    }
  }

  static Secret readKey(Path file) throws BadValue {
    String expected = "a readable file that contains the API key and nothing else";
    checkPlain(file, expected);
    String content;
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_KEY_FILE_BYTES + 1);
      if (bytes.length > MAX_KEY_FILE_BYTES) {
        throw BadValue.noted("is larger than 16KiB", expected);
      }
      content = new String(bytes, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw unreadable(file, e, expected);
    }
    if (content.isEmpty()) {
      throw BadValue.noted("is empty", expected);
    }
    Secret key = Secret.of(content);
    try {
      SettingTable.UPSTREAM_API_KEY.check(key);
    } catch (BadValue e) {
      throw BadValue.noted(
          "contains spaces, line breaks or characters that are not ASCII", expected);
    }
    return key;
  }

  static void checkCertificates(Path file) throws BadValue {
    String expected = "a readable PEM file with certificates";
    checkPlain(file, expected);
    try (InputStream in = Files.newInputStream(file)) {
      if (CertificateFactory.getInstance("X.509").generateCertificates(in).isEmpty()) {
        throw BadValue.noted("has no certificate", expected);
      }
    } catch (CertificateException e) {
      throw BadValue.noted("has no valid certificate", expected);
    } catch (IOException e) {
      throw unreadable(file, e, expected);
    }
  }

  /** Looks whether a file is there; what it says is the matter of whoever reads it. */
  static void checkReadable(Path file) throws BadValue {
    String expected = "a readable file";
    checkPlain(file, expected);
    try (InputStream in = Files.newInputStream(file)) {
      if (in.read() < 0) {
        throw BadValue.noted("is empty", expected);
      }
    } catch (IOException e) {
      throw unreadable(file, e, expected);
    }
  }

  /** Opening a pipe would wait, and a second reading of one finds nothing. */
  private static void checkPlain(Path file, String expected) throws BadValue {
    if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
      throw BadValue.noted("is no plain file", expected);
    }
  }

  private static BadValue unreadable(Path file, IOException cause, String expected) {
    if (cause instanceof NoSuchFileException) {
      return BadValue.noted("does not exist", expected);
    }
    if (cause instanceof AccessDeniedException) {
      return BadValue.noted("must not be read by this process", expected);
    }
    return BadValue.noted(Files.isDirectory(file) ? "is a folder" : "cannot be read", expected);
  }
}
