package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One reading of settings from YAML text and the environment. It goes on after a problem, so that
 * all problems come out together, but does not report what follows from one already reported. Not
 * thread-safe: one instance per reading.
 */
final class SettingsReading {
  /** Variables with our prefix that are no settings. */
  private static final Set<String> OTHER_VARIABLES = Set.of(SettingsLocator.VARIABLE);

  /** Kubernetes sets it beside a service that is called headrace. */
  private static final String OF_A_SERVICE = "HEADRACE_PORT";

  private final String sourceName;
  private final Environment environment;
  private final GatewaySettingsBuilder builder;
  private final NodeReader reader;
  private final Problems problems = new Problems();

  /**
   * Kept apart, because that two settings exclude each other does not follow from a missing file.
   */
  private final Problems problemsOfFiles = new Problems();

  private final Map<String, Origin> origins = new HashMap<>();
  private final List<String> warnings = new ArrayList<>();

  /**
   * Prepares a reading.
   *
   * @param paths where relative paths in the file start
   */
  SettingsReading(
      String sourceName,
      RelativePaths paths,
      Environment environment,
      GatewaySettingsBuilder code) {
    this.sourceName = sourceName;
    this.environment = requireNonNull(environment, "environment");
    this.builder = new GatewaySettingsBuilder(code);
    this.reader = new NodeReader(sourceName, paths, environment, problems);
    for (Setting<?> setting : SettingTable.all()) {
      if (code.has(setting)) {
        origins.put(setting.key(), Origin.CODE);
      }
    }
  }

  /** Reads the text of the file and then the environment. */
  LoadedSettings read(String yaml, String source) {
    YamlTree tree = YamlTree.read(yaml, sourceName, problems);
    YamlNode root = tree.root();
    boolean complete = tree.isComplete();
    if (!complete) {
      reader.restIsUnknown();
    }
    if (root instanceof YamlNode.Mapping mapping) {
      readGroup("", mapping);
    } else if (root != null && !(root instanceof YamlNode.Nothing)) {
      String expected = " (expected: settings such as mount: /claude)";
      fileProblem(sourceName, sourceName + ": " + root.kind() + expected, root.line());
      complete = false;
    }
    return finish(source, complete);
  }

  /** Reads the environment alone. */
  LoadedSettings readWithoutFile(String source) {
    return finish(source, true);
  }

  private LoadedSettings finish(String source, boolean complete) {
    SettingTable.all().forEach(this::readVariable);
    warnAboutUnknownVariables();
    checkFile(SettingTable.UPSTREAM_API_KEY_FILE, KeyFiles::readKey);
    checkKeyFilesOfMembers();
    checkFile(SettingTable.UPSTREAM_CA_FILE, KeyFiles::checkCertificates);
    checkFile(SettingTable.IDENTITY_KEYS_FILE, KeyFiles::checkReadable);
    checkFile(SettingTable.USAGE_PRICES_FILE, KeyFiles::checkReadable);
    checkFilesOfPresets();
    GatewaySettings settings = build(complete, source);
    return new LoadedSettings(
        settings,
        source,
        origins.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().name())),
        warnings);
  }

  // ---- the file

  private void readGroup(String group, YamlNode.Mapping mapping) {
    for (Map.Entry<String, YamlNode.Entry> entry : mapping.entries().entrySet()) {
      String key = group.isEmpty() ? entry.getKey() : group + "." + entry.getKey();
      YamlNode value = entry.getValue().value();
      Optional<Setting<?>> setting =
          SettingTable.all().stream()
              .filter(row -> row.group().equals(group) && row.name().equals(entry.getKey()))
              .findFirst();
      if (setting.isPresent()) {
        readSetting(setting.get(), value);
      } else if (group.isEmpty() && groups().contains(key)) {
        readGroupValue(key, value);
      } else {
        reportUnknown(group, entry.getKey(), entry.getValue().keyLine());
      }
    }
  }

  private void readGroupValue(String group, YamlNode value) {
    if (value instanceof YamlNode.Mapping mapping) {
      readGroup(group, mapping);
    } else if (!(value instanceof YamlNode.Nothing)) {
      // The value itself is not shown: it may be anything, also a key in the wrong place.
      String expected = " (expected: settings such as " + namesIn(group).get(0) + " below it)";
      fileProblem(group, group + ": " + value.kind() + expected, value.line());
    }
  }

  private <T> void readSetting(Setting<T> setting, YamlNode node) {
    if (setting.type().isText() && environment.variable(setting.variable()) != null) {
      return; // The variable is read instead, and what it overrides does not matter.
    }
    T value = reader.read(setting, Place.of(setting), node);
    if (value != null) {
      builder.set(setting, value);
      origins.put(setting.key(), Origin.file(sourceName, node.line()));
    }
  }

  private void reportUnknown(String group, String name, int line) {
    String key = group.isEmpty() ? name : group + "." + name;
    String shown = Shown.name(key);
    Optional<String> nested = keyWrittenInOneLine(group, name);
    Optional<String> similar = similarKey(group, name);
    String hint;
    if (nested.isPresent()) {
      String known = nested.get();
      int dot = known.indexOf('.');
      hint = " here. Write " + known.substring(dot + 1) + " below " + known.substring(0, dot) + ".";
    } else if (similar.isPresent()) {
      hint = ". Did you mean " + similar.get() + "?";
    } else {
      hint = ". Known here: " + String.join(", ", namesIn(group)) + ".";
    }
    problems.add(
        Problem.of(key, shown + " is not a setting" + hint, Origin.file(sourceName, line)));
  }

  /** A key such as {@code timeouts.idle} at the top, which YAML does not take apart. */
  private static Optional<String> keyWrittenInOneLine(String group, String name) {
    return group.isEmpty()
        ? SettingTable.all().stream().map(Setting::key).filter(name::equals).findFirst()
        : Optional.empty();
  }

  /** Looks among the neighbours first, then for a setting of that name in another group. */
  private static Optional<String> similarKey(String group, String name) {
    String prefix = group.isEmpty() ? "" : group + ".";
    Optional<String> neighbour = Suggestions.closest(name, namesIn(group));
    if (neighbour.isPresent()) {
      return neighbour.map(prefix::concat);
    }
    Optional<String> elsewhere =
        SettingTable.all().stream()
            .filter(setting -> setting.name().equals(name))
            .map(Setting::key)
            .findFirst();
    return elsewhere.isPresent()
        ? elsewhere
        : Suggestions.closest(
            prefix + name, SettingTable.all().stream().map(Setting::key).toList());
  }

  private static Set<String> groups() {
    return SettingTable.all().stream()
        .map(Setting::group)
        .filter(group -> !group.isEmpty())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Returns what may stand in a group; at the top, that includes the groups. */
  private static List<String> namesIn(String group) {
    List<String> names = new ArrayList<>();
    for (Setting<?> setting : SettingTable.all()) {
      if (setting.group().equals(group)) {
        names.add(setting.name());
      }
    }
    if (group.isEmpty()) {
      names.addAll(groups());
    }
    return names;
  }

  // ---- the environment

  private <T> void readVariable(Setting<T> setting) {
    String text = environment.variable(setting.variable());
    if (text == null) {
      return;
    }
    Origin origin = Origin.variable(setting.variable());
    if (!setting.type().isText()) {
      // To ignore it would leave somebody with fewer upstreams than intended.
      problem(
          setting.key(),
          ": one line of text (expected: " + setting.key() + " in the settings file)",
          origin);
      return;
    }
    // No placeholders here: whoever sets a variable can put the value in it.
    Faults faults =
        (path, shown, fault) ->
            problem(path, ": " + fault.sentence(setting.type().show(text)), origin);
    if (text.isBlank() && setting == SettingTable.IDENTITY_SOURCES) {
      // No sources let everybody in, and a variable without content is seldom meant to.
      String leaveOut = "; leave the variable out to have the file's value";
      faults.add(setting.key(), text, BadValue.empty(setting.type().expected() + leaveOut));
      return;
    }
    int before = problems.size();
    try {
      T value = setting.type().read(text);
      setting.check(setting.key(), value, faults);
      if (problems.size() == before) {
        builder.set(setting, value);
        origins.put(setting.key(), origin);
      }
    } catch (BadValue e) {
      faults.add(setting.key(), text, e);
    }
  }

  /** A misspelt variable would be ignored silently; but one of another program is none of ours. */
  private void warnAboutUnknownVariables() {
    List<String> known = new ArrayList<>(OTHER_VARIABLES);
    SettingTable.all().forEach(setting -> known.add(setting.variable()));
    environment.variableNames().stream()
        .filter(name -> name.startsWith(Setting.VARIABLE_PREFIX) && !known.contains(name))
        .filter(name -> !name.equals(OF_A_SERVICE))
        .sorted()
        .forEach(
            name ->
                Suggestions.closest(name, known)
                    .ifPresent(
                        meant ->
                            warnings.add(
                                "The environment variable "
                                    + Shown.name(name)
                                    + " is not a setting and was ignored. Did you mean "
                                    + meant
                                    + "?")));
  }

  // ---- the whole

  private void checkFile(Setting<Path> setting, FileCheck check) {
    checkFile(setting.key(), builder.valueOrNull(setting), check);
  }

  private void checkKeyFilesOfMembers() {
    List<GatewaySettings.Member> members = builder.valueOrNull(SettingTable.UPSTREAM_MEMBERS);
    Place list = Place.of(SettingTable.UPSTREAM_MEMBERS);
    for (int i = 0; members != null && i < members.size(); i++) {
      String key = list.item(i).key(MemberProperties.API_KEY_FILE.name()).path();
      checkFile(key, members.get(i).apiKeyFile(), KeyFiles::readKey);
    }
  }

  private void checkFilesOfPresets() {
    Map<String, GatewaySettings.Preset> presets = builder.valueOrNull(SettingTable.PRESETS);
    if (presets == null) {
      return;
    }
    Place map = Place.of(SettingTable.PRESETS);
    presets.forEach(
        (name, preset) -> {
          checkFile(map.key(name).key(PresetProperties.SYSTEM.name()).path(), preset.system());
          checkFile(map.key(name).key(PresetProperties.TOOLS.name()).path(), preset.tools());
        });
  }

  private void checkFile(String key, @Nullable PresetText part) {
    checkFile(key, part == null ? null : part.file(), KeyFiles::checkReadable);
  }

  /** Looks into a file that a setting names, so that a missing one stops the start. */
  private void checkFile(String key, @Nullable Path file, FileCheck check) {
    if (file == null || problems.concernAnyOf(List.of(key))) {
      return;
    }
    try {
      check.check(file);
    } catch (BadValue e) {
      String shown = reader.show(key, Shown.path(file));
      String text = key + ": " + e.sentence(shown);
      problemsOfFiles.add(Problem.missingHere(key, text, originOf(key)));
    }
  }

  /** Says by its exception what is wrong with a file. */
  @FunctionalInterface
  private interface FileCheck {
    void check(Path file) throws BadValue;
  }

  private GatewaySettings build(boolean complete, String source) {
    Problems ofTheWhole = new Problems();
    GatewaySettings settings = builder.buildInto(ofTheWhole);
    // What the unread rest of a broken file says is unknown, so nothing can be said to be missing.
    List<Problem> news =
        ofTheWhole.all().stream()
            .filter(problem -> !problems.concernAnyOf(problem.keys()))
            .filter(problem -> complete || !problem.isRelation())
            .toList();
    news.forEach(problem -> problems.add(withOrigin(problem)));
    problemsOfFiles.all().forEach(problems::add);
    // A gateway that is switched off need not have its variables and files at hand.
    boolean lenient = !isEnabled();
    List<Problem> serious = new ArrayList<>();
    for (Problem problem : problems.all()) {
      if (problem.soft() && lenient) {
        warnings.add("The gateway is switched off; otherwise: " + problem);
      } else {
        serious.add(problem);
      }
    }
    if (!serious.isEmpty()) {
      throw new SettingsException(serious, source);
    }
    // What is missing may leave others that cannot be without it; nobody will ask for any of them.
    return settings != null ? settings : GatewaySettings.builder().enabled(false).build();
  }

  private boolean isEnabled() {
    return Boolean.TRUE.equals(builder.valueOrNull(SettingTable.ENABLED));
  }

  private Problem withOrigin(Problem problem) {
    for (String key : problem.keys()) {
      Origin origin = originOf(key);
      if (origin != null) {
        return problem.from(origin);
      }
    }
    return problem;
  }

  /** Returns where a setting or a part of one was set; null if it was not. */
  private @Nullable Origin originOf(String key) {
    for (String at = key; !at.isEmpty(); at = NodeReader.parent(at)) {
      Origin whole = origins.get(at);
      if (whole != null) {
        Origin part = reader.locate(key);
        return part == null || whole.equals(Origin.CODE) ? whole : part;
      }
    }
    return null;
  }

  private void problem(String key, String text, Origin origin) {
    problems.add(Problem.of(key, key + text, origin));
  }

  private void fileProblem(String key, String text, int line) {
    problems.add(Problem.of(key, text, Origin.file(sourceName, line)));
  }
}
