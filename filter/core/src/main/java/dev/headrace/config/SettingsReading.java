package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.Placeholders.Filled;
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

  private final String sourceName;
  private final @Nullable Path folder;
  private final Environment environment;
  private final GatewaySettingsBuilder builder;
  private final Problems problems = new Problems();

  /**
   * Kept apart, because that two settings exclude each other does not follow from a missing file.
   */
  private final Problems problemsOfFiles = new Problems();

  private final Map<String, Origin> origins = new HashMap<>();
  private final List<String> warnings = new ArrayList<>();

  /** What to show for values that came from a variable with a secret's name. */
  private final Map<String, String> veiled = new HashMap<>();

  /**
   * Prepares a reading.
   *
   * @param folder where relative paths in the file start; null for the working directory
   */
  SettingsReading(
      String sourceName,
      @Nullable Path folder,
      Environment environment,
      GatewaySettingsBuilder code) {
    this.sourceName = sourceName;
    this.folder = folder;
    this.environment = requireNonNull(environment, "environment");
    this.builder = new GatewaySettingsBuilder(code);
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
    checkFile(SettingTable.UPSTREAM_CA_FILE, KeyFiles::checkCertificates);
    GatewaySettings settings = build(complete);
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

  private void readSetting(Setting<?> setting, YamlNode node) {
    if (environment.variable(setting.variable()) != null) {
      return; // The variable is read instead, and what it overrides does not matter.
    }
    if (setting.type() instanceof SettingType.ListOf<?> list) {
      readList(setting, list, node);
    } else if (node instanceof YamlNode.Scalar scalar) {
      Origin origin = Origin.file(sourceName, node.line());
      Filled text = fill(setting, scalar, origin);
      if (text != null) {
        store(setting, text, origin, folder);
      }
    } else {
      reportShape(setting, node, setting.type());
    }
  }

  /** Reads each element by itself, so that a bad one is reported with its own line. */
  private void readList(Setting<?> setting, SettingType.ListOf<?> list, YamlNode node) {
    if (!(node instanceof YamlNode.Sequence sequence)) {
      reportShape(setting, node, list);
      return;
    }
    List<String> values = new ArrayList<>();
    List<String> showables = new ArrayList<>();
    for (YamlNode item : sequence.items()) {
      if (!(item instanceof YamlNode.Scalar scalar)) {
        reportShape(setting, item, list.element());
        continue;
      }
      Origin origin = Origin.file(sourceName, item.line());
      Filled text = fill(setting, scalar, origin);
      if (text != null && isReadable(setting, list.element(), text, origin)) {
        values.add(text.value());
        showables.add(text.showable());
      }
    }
    if (values.size() == sequence.items().size()) {
      // Read once more as a whole, in the form of a variable: no element can contain a comma.
      Filled whole = new Filled(String.join(",", values), String.join(", ", showables));
      store(setting, whole, Origin.file(sourceName, node.line()), null);
    }
  }

  private boolean isReadable(
      Setting<?> setting, SettingType<?> element, Filled text, Origin origin) {
    try {
      element.read(text.value());
      return true;
    } catch (BadValue e) {
      problem(setting, setting.key() + ": " + e.sentence(element.show(text.showable())), origin);
      return false;
    }
  }

  private void reportShape(Setting<?> setting, YamlNode node, SettingType<?> type) {
    String text = setting.key() + ": " + node.kind() + " (expected: " + type.expected() + ")";
    problem(setting, text, Origin.file(sourceName, node.line()));
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
    if (text != null) {
      // No placeholders here: whoever sets a variable can put the value in it.
      store(setting, new Filled(text, text), Origin.variable(setting.variable()), null);
    }
  }

  /** A misspelt variable would be ignored silently; but one of another program is none of ours. */
  private void warnAboutUnknownVariables() {
    List<String> known = new ArrayList<>(OTHER_VARIABLES);
    SettingTable.all().forEach(setting -> known.add(setting.variable()));
    environment.variableNames().stream()
        .filter(name -> name.startsWith(Setting.VARIABLE_PREFIX) && !known.contains(name))
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

  // ---- values

  /** Fills the placeholders of a text; null if that is not possible, which is then noted. */
  private @Nullable Filled fill(Setting<?> setting, YamlNode.Scalar scalar, Origin origin) {
    try {
      return Placeholders.fill(scalar.text(), environment);
    } catch (BadValue e) {
      String shown = setting.type().show(scalar.text());
      problem(setting, setting.key() + ": " + e.sentence(shown), origin);
    } catch (Placeholders.MissingVariable e) {
      String fault = setting.key() + ": ${" + Shown.name(e.variableName()) + "} has no value";
      String expected = " (expected: an environment variable or system property of that name)";
      problems.add(Problem.missingHere(setting.key(), fault + expected, origin));
    }
    return null;
  }

  private <T> void store(
      Setting<T> setting, Filled text, Origin origin, @Nullable Path relativeTo) {
    try {
      builder.set(setting, setting.read(text.value(), relativeTo));
      origins.put(setting.key(), origin);
      if (!text.showable().equals(text.value())) {
        veiled.put(setting.key(), setting.type().show(text.showable()));
      }
    } catch (BadValue e) {
      String shown = setting.type().show(text.showable());
      problem(setting, setting.key() + ": " + e.sentence(shown), origin);
    }
  }

  // ---- the whole

  /** Looks into a file that a setting names, so that a missing one stops the start. */
  private void checkFile(Setting<Path> setting, FileCheck check) {
    Path file = builder.valueOrNull(setting);
    if (file == null || problems.concernAnyOf(List.of(setting.key()))) {
      return;
    }
    try {
      check.check(file);
    } catch (BadValue e) {
      String shown = veiled.getOrDefault(setting.key(), setting.show(file));
      String text = setting.key() + ": " + e.sentence(shown);
      problemsOfFiles.add(Problem.missingHere(setting.key(), text, origins.get(setting.key())));
    }
  }

  /** Says by its exception what is wrong with a file. */
  @FunctionalInterface
  private interface FileCheck {
    void check(Path file) throws BadValue;
  }

  private GatewaySettings build(boolean complete) {
    Problems ofTheWhole = new Problems();
    GatewaySettings settings = builder.buildInto(ofTheWhole);
    for (Problem problem : ofTheWhole.all()) {
      boolean follows = problems.concernAnyOf(problem.keys());
      // What the unread rest of a broken file says is unknown, so nothing can be said to be
      // missing.
      if (!follows && (complete || !problem.isRelation())) {
        problems.add(withOrigin(problem));
      }
    }
    problemsOfFiles.all().forEach(problems::add);
    // A gateway that is switched off need not have its variables and files at hand.
    boolean lenient = settings != null && !isEnabled();
    List<Problem> serious = new ArrayList<>();
    for (Problem problem : problems.all()) {
      if (problem.soft() && lenient) {
        warnings.add("The gateway is switched off; otherwise: " + problem);
      } else {
        serious.add(problem);
      }
    }
    if (!serious.isEmpty()) {
      throw new SettingsException(serious);
    }
    return requireNonNull(settings, "settings");
  }

  private boolean isEnabled() {
    return Boolean.TRUE.equals(builder.valueOrNull(SettingTable.ENABLED));
  }

  private Problem withOrigin(Problem problem) {
    for (String key : problem.keys()) {
      Origin origin = origins.get(key);
      if (origin != null) {
        return problem.from(origin);
      }
    }
    return problem;
  }

  private void problem(Setting<?> setting, String text, Origin origin) {
    problems.add(Problem.of(setting.key(), text, origin));
  }

  private void fileProblem(String key, String text, int line) {
    problems.add(Problem.of(key, text, Origin.file(sourceName, line)));
  }
}
