package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsLocatorTest {
  private static final String CANDIDATE = "WEB-INF/headrace.yaml";

  @TempDir private Path folder;

  @Test
  void propertyThenVariableThenCandidateThenClassPathThenNothing() throws IOException {
    Path byProperty = file("property.yaml", "/property");
    Path byVariable = file("variable.yaml", "/variable");
    file("headrace.yaml", "/class-path");
    Environment both =
        Environment.of(
            Map.of("HEADRACE_CONFIG", byVariable.toString()),
            Map.of("headrace.config", byProperty.toString()));
    Environment variable = SampleSettings.variables("HEADRACE_CONFIG", byVariable.toString());
    try (URLClassLoader classPath = classPath()) {
      assertFound(
          locator(both, classPath).candidate(CANDIDATE, () -> yaml("/candidate")),
          "/property",
          byProperty + ", named by the system property headrace.config");
      assertFound(
          locator(variable, classPath).candidate(CANDIDATE, () -> yaml("/candidate")),
          "/variable",
          byVariable + ", named by the environment variable HEADRACE_CONFIG");
      assertFound(
          locator(SampleSettings.NOTHING, classPath)
              .candidate("absent.yaml", () -> null)
              .candidate(CANDIDATE, () -> yaml("/candidate")),
          "/candidate",
          CANDIDATE);
      assertFound(
          locator(SampleSettings.NOTHING, classPath).candidate(CANDIDATE, () -> null),
          "/class-path",
          folder.resolve("headrace.yaml").toUri().toURL() + " on the class path");
    }
    assertFound(
        SettingsLocator.in(SampleSettings.NOTHING)
            .code(GatewaySettings.builder().upstreamApiKey(Secret.of("k")))
            .candidate(CANDIDATE, () -> null),
        "/claude",
        "code and environment (no settings file; looked for the system property headrace.config, the"
            + " environment variable HEADRACE_CONFIG, WEB-INF/headrace.yaml)");
  }

  @Test
  void whereNothingGivesAKeyItIsToldWhereAFileWasLookedFor() {
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(CANDIDATE, () -> null)
                        .load()))
        .hasMessageStartingWith(
            "1 problem in the settings from code and environment (no settings file; looked for the"
                + " system property headrace.config, the environment variable HEADRACE_CONFIG,"
                + " WEB-INF/headrace.yaml):\n  - No API key for the upstream");
  }

  @Test
  void filesGivenByNameAreStrongerThanPropertyAndVariable() throws IOException {
    Path first = file("first.yaml", "/first");
    Path second = file("second.yaml", "/second");
    Path byProperty = file("property.yaml", "/property");
    Environment environment =
        Environment.of(Map.of(), Map.of("headrace.config", byProperty.toString()));

    assertFound(
        SettingsLocator.in(environment)
            .named("nobody", null)
            .named("somebody", first.toString())
            .named("somebody else", second.toString()),
        "/first",
        first + ", named by somebody");
    assertFound(
        SettingsLocator.in(environment).named("nobody", null),
        "/property",
        byProperty + ", named by the system property headrace.config");
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(environment)
                        .named("somebody", folder.resolve("absent.yaml").toString())
                        .find()))
        .hasMessageContaining("  - somebody: ")
        .hasMessageContaining("absent.yaml does not exist");
  }

  @Test
  void withoutAFileNothingIsFound() {
    assertThat(
            SettingsLocator.in(SampleSettings.variables("HEADRACE_UPSTREAM_API_KEY", "k"))
                .named("nobody", null)
                .candidate(CANDIDATE, () -> null)
                .find())
        .isEmpty();
  }

  @Test
  void namedFileThatIsMissingIsAnErrorAlthoughThereIsACandidate() {
    Path absent = folder.resolve("absent.yaml");
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(
                            SampleSettings.variables("HEADRACE_CONFIG", absent.toString()))
                        .candidate(CANDIDATE, () -> yaml("/candidate"))
                        .load()))
        .hasMessage(
            "1 problem in the settings:\n  - the environment variable HEADRACE_CONFIG: "
                + Shown.text(absent.toString())
                + " does not exist (expected: a readable settings file in YAML)");
  }

  @Test
  void emptyNameIsAnError() {
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(Environment.of(Map.of(), Map.of("headrace.config", "")))
                        .load()))
        .hasMessage(
            "1 problem in the settings:\n  - the system property headrace.config: \"\" (expected:"
                + " the path of a settings file)");
  }

  @Test
  void candidateThatCannotBeReadIsAnError() {
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(
                            CANDIDATE,
                            () -> {
                              throw new IOException("disk on fire");
                            })
                        .load()))
        .hasMessage(
            "1 problem in the settings:\n  - WEB-INF/headrace.yaml cannot be read (expected: a"
                + " readable settings file in YAML)");
  }

  @Test
  void problemsAreReportedWithTheShortNameOfTheFile() {
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(CANDIDATE, () -> bytes("\nmont: /x\nupstream: {api-key: k}"))
                        .load()))
        .hasMessage(
            "1 problem in the settings from WEB-INF/headrace.yaml:\n  - mont is not a setting. Did you mean mount?"
                + " (headrace.yaml:2)");
  }

  @Test
  void environmentOverridesWithoutAnyFile() {
    LoadedSettings loaded =
        SettingsLocator.in(
                SampleSettings.variables(
                    "HEADRACE_UPSTREAM_API_KEY", "k", "HEADRACE_MOUNT", "/variable"))
            .load();
    assertThat(loaded.settings().mount()).isEqualTo("/variable");
    assertThat(loaded.origins()).containsEntry("mount", "HEADRACE_MOUNT");
  }

  // ---- relative paths

  private static final String WITH_KEYS =
      "upstream: {api-key: k}\nidentity:\n  sources: [key]\n  keys-file: keys.yaml\n";

  @Test
  void filesBesideTheSettingsFileOfTheApplicationAreFound() throws IOException {
    Path keys = Files.writeString(folder.resolve("keys.yaml"), "keys: []\n");
    LoadedSettings candidate =
        SettingsLocator.in(SampleSettings.NOTHING)
            .candidate(CANDIDATE, folder, () -> bytes(WITH_KEYS))
            .load();
    assertThat(candidate.settings().identity().keysFile()).isEqualTo(keys);

    Files.writeString(folder.resolve("headrace.yaml"), WITH_KEYS);
    try (URLClassLoader classPath = classPath()) {
      assertThat(locator(SampleSettings.NOTHING, classPath).load().settings().identity().keysFile())
          .isEqualTo(keys);
    }
  }

  @Test
  void aFileThatIsMissingBesideItIsToldWithItsWholePath() throws IOException {
    Path deep = folder.resolve("of-a-folder/".repeat(10));
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(CANDIDATE, deep, () -> bytes(WITH_KEYS))
                        .load()))
        .hasMessage(
            "1 problem in the settings from WEB-INF/headrace.yaml:\n  - identity.keys-file: "
                + deep.resolve("keys.yaml")
                + " does not exist (expected: a readable file) at headrace.yaml:4");
  }

  @Test
  void aNamedFileThatIsMissingIsToldWithItsWholePath() {
    Path absent = Path.of("absent-folder/headrace.yaml");
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(
                            SampleSettings.variables("HEADRACE_CONFIG", absent.toString()))
                        .load()))
        .hasMessageContaining("HEADRACE_CONFIG: " + absent.toAbsolutePath() + " does not exist");
  }

  @Test
  void withoutAFolderARelativePathIsAnError() throws IOException {
    String presets =
        "presets: {support: {model: claude-a, max-tokens: 5, system: 'file:prompts/support.md'}}\n";
    String expected =
        " is in no folder where it could start, since the application is not unpacked (expected: an"
            + " absolute path, or a settings file outside of the application, named by"
            + " HEADRACE_CONFIG) at headrace.yaml:";
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(CANDIDATE, () -> bytes(WITH_KEYS + presets))
                        .load()))
        .hasMessage(
            "2 problems in the settings from WEB-INF/headrace.yaml:\n"
                + "  - identity.keys-file: keys.yaml is a relative path, and WEB-INF/headrace.yaml"
                + expected
                + "4\n"
                + "  - presets.support.system: \"file:prompts/support.md\" is a relative path, and"
                + " WEB-INF/headrace.yaml"
                + expected
                + "5");

    Path jar = folder.resolve("application.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("headrace.yaml"));
      out.write(WITH_KEYS.getBytes(StandardCharsets.UTF_8));
    }
    try (URLClassLoader classPath = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null)) {
      assertThat(catchThrowable(() -> locator(SampleSettings.NOTHING, classPath).load()))
          .hasMessageContaining("keys.yaml is a relative path, and jar:file:")
          .hasMessageContaining("application.jar!/headrace.yaml on the class path" + expected);
    }
  }

  @Test
  void withoutAFolderAnAbsolutePathIsTaken() throws IOException {
    Path keys = Files.writeString(folder.resolve("keys.yaml"), "keys: []\n");
    LoadedSettings loaded =
        SettingsLocator.in(SampleSettings.NOTHING)
            .candidate(CANDIDATE, () -> bytes(WITH_KEYS.replace("keys.yaml", keys.toString())))
            .load();
    assertThat(loaded.settings().identity().keysFile()).isEqualTo(keys);
  }

  @Test
  void theSpoolIsNotPutIntoAnApplication() throws IOException {
    String yaml = "upstream: {api-key: k}\nusage:\n  spool: spool\n";
    assertThat(
            catchThrowable(
                () ->
                    SettingsLocator.in(SampleSettings.NOTHING)
                        .candidate(CANDIDATE, folder, () -> bytes(yaml))
                        .load()))
        .hasMessage(
            "1 problem in the settings from WEB-INF/headrace.yaml:\n  - usage.spool: spool is a relative path, and"
                + " WEB-INF/headrace.yaml is a part of the application, whose folder is deleted"
                + " when it is deployed again (expected: an absolute path such as"
                + " /var/lib/headrace/spool, or a settings file outside of the application, named"
                + " by HEADRACE_CONFIG) at headrace.yaml:3");
    Path outside = Files.writeString(folder.resolve("outside.yaml"), yaml);
    assertThat(
            SettingsLocator.in(SampleSettings.NOTHING)
                .named("somebody", outside.toString())
                .load()
                .settings()
                .usage()
                .spool())
        .isEqualTo(folder.resolve("spool"));
  }

  @Test
  void switchedOffAPathWithoutAFolderDoesNotMatter() {
    LoadedSettings loaded =
        SettingsLocator.in(SampleSettings.NOTHING)
            .candidate(CANDIDATE, () -> bytes("enabled: false\n" + WITH_KEYS))
            .load();
    assertThat(loaded.settings().enabled()).isFalse();
    assertThat(loaded.warnings()).singleElement().asString().contains("is a relative path");
  }

  private static SettingsLocator locator(Environment environment, ClassLoader classPath) {
    return SettingsLocator.in(environment).classPath(classPath);
  }

  private static void assertFound(SettingsLocator locator, String mount, String source) {
    LoadedSettings loaded = locator.load();
    assertThat(loaded.settings().mount()).isEqualTo(mount);
    assertThat(loaded.source()).isEqualTo(source);
  }

  private Path file(String name, String mount) throws IOException {
    return Files.writeString(folder.resolve(name), content(mount));
  }

  private URLClassLoader classPath() throws IOException {
    return new URLClassLoader(new URL[] {folder.toUri().toURL()}, null);
  }

  private static InputStream yaml(String mount) {
    return bytes(content(mount));
  }

  private static InputStream bytes(String content) {
    return new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8));
  }

  private static String content(String mount) {
    return "mount: " + mount + "\nupstream: {api-key: k}\n";
  }
}
