package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Types are put together freely: here a map of records with a list, a map and records in them. */
class SettingTypeTest {
  private record Plan(
      String role, int limit, List<String> models, Map<String, Integer> weights, List<Key> keys) {
    private Plan {
      if (limit == 13) {
        Problem unlucky = Problem.of("limit", "a plan must not have the limit 13", null);
        throw new SettingsException(List.of(unlucky));
      }
    }
  }

  private record Key(String id, @Nullable Secret text) {}

  private static final Property<Key, String> ID =
      new Property<>("id", SettingType.NAME, null, Range.any(), Key::id, "The id.");
  private static final Property<Key, Secret> TEXT =
      new Property<>("text", SettingType.SECRET, null, Range.apiKey(), Key::text, "The key.");
  private static final RecordType<Key> KEY =
      new RecordType<>(
          "key",
          values -> new Key(values.get(ID, "key-" + values.place()), values.get(TEXT)),
          List.of(ID, TEXT));

  private static final Property<Plan, Integer> LIMIT =
      new Property<>(
          "limit", SettingType.INTEGER, "5", Range.between(1, 20), Plan::limit, "The limit.");
  private static final Property<Plan, List<String>> MODELS =
      new Property<>(
          "models",
          SettingType.listOf(SettingType.MODEL),
          "",
          Range.any(),
          Plan::models,
          "The models.");
  private static final Property<Plan, Map<String, Integer>> WEIGHTS =
      new Property<>(
          "weights",
          SettingType.mapOf(SettingType.NAME, SettingType.INTEGER),
          "",
          Range.any(),
          Plan::weights,
          "The weights.");
  private static final Property<Plan, List<Key>> KEYS =
      new Property<>(
          "keys", SettingType.listOf(KEY).distinctBy(ID), "", Range.any(), Plan::keys, "The keys.");
  private static final MapType<Plan> PLANS =
      SettingType.mapOf(
          SettingType.NAME,
          new RecordType<>(
              "plan",
              values ->
                  new Plan(
                      values.place(),
                      Objects.requireNonNull(values.get(LIMIT)),
                      values.get(MODELS, List.of()),
                      values.get(WEIGHTS, Map.of()),
                      values.get(KEYS, List.of())),
              List.of(LIMIT, MODELS, WEIGHTS, KEYS)));

  @Test
  void mapOfRecordsIsReadWithDefaultsAndTheNameOfEachEntry() {
    Problems problems = new Problems();
    Map<String, Plan> plans =
        read(
            """
            admin.x:
              models: [claude-a, "${MODEL}"]
              weights: {a: 1, b: 2}
              keys:
                - {text: secret-1}
                - {id: other, text: secret-2}
            guest: {limit: 2}
            none: {}
            """,
            problems);
    assertThat(problems.all()).isEmpty();
    assertThat(plans)
        .containsExactly(
            Map.entry(
                "admin.x",
                new Plan(
                    "admin.x",
                    5,
                    List.of("claude-a", "claude-b"),
                    Map.of("a", 1, "b", 2),
                    List.of(
                        new Key("key-1", Secret.of("secret-1")),
                        new Key("other", Secret.of("secret-2"))))),
            Map.entry("guest", new Plan("guest", 2, List.of(), Map.of(), List.of())),
            Map.entry("none", new Plan("none", 5, List.of(), Map.of(), List.of())));
    assertThat(PLANS.print(Objects.requireNonNull(plans)))
        .isEqualTo(
            "{admin.x: {limit: 5, models: [\"claude-a\", \"claude-b\"], weights: {a: 1, b: 2}, keys:"
                + " [{id: \"key-1\", text: ****}, {id: \"other\", text: ****}]}, guest: {limit: 2,"
                + " models: [], weights: {}, keys: []}, none: {limit: 5, models: [], weights: {},"
                + " keys: []}}");
  }

  @Test
  void problemsAreNamedByTheirWholePathAndLine() {
    Problems problems = new Problems();
    Map<String, Plan> plans =
        read(
            """
            admin:
              limit: 21
              modles: []
              weights:
                a: many
                b c: 1
              keys:
                - {text: "a b"}
                - id: twice
                - id: twice
            guest:
              limit: 13
            none:
            """,
            problems);
    assertThat(plans).isNull();
    assertThat(problems.all().stream().map(Problem::toString))
        .containsExactly(
            "plans.admin.limit: 21 (expected: 1 to 20) at t.yaml:2",
            "plans.admin.modles is not a setting. Did you mean plans.admin.models? (t.yaml:3)",
            "plans.admin.weights.a: many (expected: a whole number without a unit, such as 100) at"
                + " t.yaml:5",
            "plans.admin.weights: the key \"b c\" (expected: a name of letters, digits, dot, dash and"
                + " underscore, at most 40 of them) at t.yaml:6",
            "plans.admin.keys[0].text: **** (expected: visible ASCII characters, without spaces and"
                + " line breaks) at t.yaml:8",
            "plans.admin.keys[2].id: twice (expected: one that no other element of the list has) at"
                + " t.yaml:10",
            "a plan must not have the limit 13 at t.yaml:12",
            "plans.none: no value (expected: a group of keys out of limit, models, weights, keys) at"
                + " t.yaml:13");
  }

  private static @Nullable Map<String, Plan> read(String yaml, Problems problems) {
    YamlNode root = Objects.requireNonNull(YamlTree.read(yaml, "t.yaml", problems).root());
    NodeReader reader =
        new NodeReader(
            "t.yaml",
            RelativePaths.OF_WORKING_DIRECTORY,
            SampleSettings.variables("MODEL", "claude-b"),
            problems);
    return PLANS.read(reader, new Place("plans", "plans"), root);
  }
}
