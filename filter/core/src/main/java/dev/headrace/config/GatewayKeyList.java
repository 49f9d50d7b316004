package dev.headrace.config;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the file of gateway keys: YAML with one list, {@code keys}. All mistakes are reported
 * together, each with its line; none of them shows a hash or what stands in the place of one. No
 * {@code ${…}} is filled in, so that the file says all there is. Stateless.
 */
public final class GatewayKeyList {
  private static final int MAX_FILE_BYTES = 4 * 1024 * 1024;
  private static final int MAX_KEYS = 10_000;
  private static final String KEYS = "keys";
  private static final String EXPECTED = "a list of keys below keys:, which may be []";

  private static final ListType<GatewayKeyEntry> TYPE =
      SettingType.listOf(GatewayKeyProperties.KEY)
          .sized(0, MAX_KEYS, "keys")
          .distinctBy(GatewayKeyProperties.NAME);

  private GatewayKeyList() {}

  /**
   * Reads the bytes of a file; at most 4 MiB.
   *
   * @throws SettingsException with all problems, if there is any. A file without {@code keys:} is
   *     one: it may be half written, and then no key is to be refused
   */
  public static List<GatewayKeyEntry> read(byte[] content, Path file) {
    String name = String.valueOf(file.getFileName());
    Problems problems = new Problems();
    try {
      String yaml = SettingsReader.textOf(content, MAX_FILE_BYTES, "4MiB", "a key file in YAML");
      List<GatewayKeyEntry> keys = read(yaml, name, problems);
      problems.throwIfAny();
      return keys;
    } catch (BadValue e) {
      throw SettingsReader.unreadable(name, e);
    }
  }

  /** Returns how many bytes of a file to read at most: one more than it may have. */
  public static int bytesToRead() {
    return MAX_FILE_BYTES + 1;
  }

  private static List<GatewayKeyEntry> read(String yaml, String name, Problems problems) {
    YamlTree tree = YamlTree.read(yaml, name, problems);
    if (!tree.isComplete()) {
      return List.of();
    }
    if (!(tree.root() instanceof YamlNode.Mapping mapping)) {
      YamlNode root = tree.root();
      String kind = root == null ? "no value" : root.kind();
      int line = root == null ? 1 : root.line();
      add(problems, name, name + ": " + kind + " (expected: " + EXPECTED + ")", line);
      return List.of();
    }
    YamlNode.Entry entry = mapping.entries().get(KEYS);
    mapping.entries().keySet().stream()
        .filter(key -> !key.equals(KEYS))
        .forEach(key -> addUnknown(mapping, key, name, problems));
    if (entry == null) {
      if (mapping.entries().isEmpty()) {
        add(problems, name, name + ": no keys (expected: " + EXPECTED + ")", mapping.line());
      }
      return List.of();
    }
    NodeReader reader =
        new NodeReader(
            name, RelativePaths.OF_WORKING_DIRECTORY, Environment.of(Map.of(), Map.of()), problems);
    List<GatewayKeyEntry> keys = TYPE.read(reader, new Place(KEYS, KEYS), entry.value());
    if (keys == null) {
      return List.of();
    }
    refuseSameKeys(keys, reader, problems);
    return keys;
  }

  private static void addUnknown(
      YamlNode.Mapping mapping, String key, String name, Problems problems) {
    Optional<String> meant = Suggestions.closest(key, List.of(KEYS));
    String hint = meant.isPresent() ? ". Did you mean keys?" : ". Known here: keys.";
    YamlNode.@Nullable Entry entry = mapping.entries().get(key);
    add(
        problems,
        name,
        Shown.name(key) + " is not a setting of a key file" + hint,
        entry == null ? 1 : entry.keyLine());
  }

  private static void refuseSameKeys(
      List<GatewayKeyEntry> keys, NodeReader reader, Problems problems) {
    Map<String, String> names = new HashMap<>();
    for (int i = 0; i < keys.size(); i++) {
      GatewayKeyEntry key = keys.get(i);
      String earlier = names.putIfAbsent(key.sha256(), key.name());
      if (earlier != null) {
        String path = KEYS + "[" + i + "].sha256";
        String text = path + ": the same key as " + earlier + " (expected: a key of its own)";
        problems.add(Problem.of(path, text, reader.locate(path)));
      }
    }
  }

  private static void add(Problems problems, String name, String text, int line) {
    problems.add(Problem.of(name, text, Origin.file(name, line)));
  }
}
