package dev.headrace.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where the relative paths of a settings file start. Immutable. */
final class RelativePaths {
  /** For settings that stand in no file: the working directory. */
  static final RelativePaths OF_WORKING_DIRECTORY = new RelativePaths(Path.of(""), null);

  private static final String OR_OUTSIDE =
      ", or a settings file outside of the application, named by HEADRACE_CONFIG";

  private final @Nullable Path folder; // null: there is none
  private final @Nullable String inApplication; // null: the file is no part of the application

  private RelativePaths(@Nullable Path folder, @Nullable String inApplication) {
    this.folder = folder;
    this.inApplication = inApplication;
  }

  /** For a settings file of the operator's. */
  static RelativePaths in(Path folder) {
    return new RelativePaths(folder, null);
  }

  /**
   * For a settings file that is a part of the application.
   *
   * @param folder null if there is none, as in an archive that is not unpacked
   * @param file what error texts call the settings file
   */
  static RelativePaths inApplication(@Nullable Path folder, String file) {
    return new RelativePaths(folder, file);
  }

  /**
   * Returns a path as it is meant.
   *
   * @throws BadValue if it is relative and there is nowhere to start
   */
  Path resolve(Path path) throws BadValue {
    if (path.isAbsolute()) {
      return path;
    }
    if (folder == null) {
      throw BadValue.noted(
          "is a relative path, and "
              + inApplication
              + " is in no folder where it could start, since the application is not unpacked",
          "an absolute path" + OR_OUTSIDE);
    }
    return folder.resolve(path);
  }

  /**
   * As {@link #resolve}, for what has to outlast the application.
   *
   * @throws BadValue also if the path is relative and would start in the application
   */
  Path resolveToKeep(Path path) throws BadValue {
    if (!path.isAbsolute() && inApplication != null) {
      throw BadValue.noted(
          "is a relative path, and "
              + inApplication
              + " is a part of the application, whose"
              + " folder is deleted when it is deployed again",
          "an absolute path such as /var/lib/headrace/spool" + OR_OUTSIDE);
    }
    return resolve(path);
  }
}
