package dev.headrace.admission;

/**
 * A text or file of a preset that cannot be used. The message names the setting and the file and
 * quotes nothing of its content.
 */
public final class PresetFileException extends Exception {
  private static final long serialVersionUID = 1L;

  PresetFileException(String message) {
    super(message);
  }
}
