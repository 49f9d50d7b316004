package dev.headrace.config.files;

import dev.headrace.config.ListType;
import dev.headrace.config.MapType;
import dev.headrace.config.Property;
import dev.headrace.config.RecordType;
import dev.headrace.config.Setting;
import dev.headrace.config.SettingTable;
import dev.headrace.config.SettingType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Makes the JSON schema of {@code headrace.yaml} from the table of settings. The schema is for
 * editors: it knows keys, forms and plain ranges; what only the gateway can tell (whether a host
 * name is one, whether two settings fit each other) it lets pass.
 *
 * <p>After a change of the table, {@code mvn -pl filter/core,config verify -Dwrite-schema=true}
 * writes the file anew.
 */
final class SettingsSchema {
  static final Path FILE = Path.of("headrace.schema.json");

  /** Text with a placeholder in it can become anything, so the schema lets it pass everywhere. */
  static final String PLACEHOLDER = "\\$\\{[A-Za-z_][A-Za-z0-9_.-]*(:-[^}]*)?\\}";

  static final String DURATION = "^(0|(0|[1-9][0-9]{0,11})(ms|s|m|h|d))$";
  static final String POSITIVE_DURATION = "^[1-9][0-9]{0,11}(ms|s|m|h|d)$";
  static final String SIZE = "^(0|[1-9][0-9]{0,11})(B|KiB|MiB|GiB)$";

  static final String REQUEST_RATE = "^[1-9][0-9]{0,6}/[1-9][0-9]{0,11}(ms|s|m|h|d)$";

  static final String BUDGET =
      "^(0|[1-9][0-9]*(_[0-9]+)*)(\\.[0-9]+)?"
          + " (USD|input-tokens|output-tokens)/(minute|hour|day|month)$";

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private SettingsSchema() {}

  /** Returns the schema as it must stand in the file. */
  static String text() {
    return JSON.writeValueAsString(schema()).replace("\r\n", "\n") + "\n";
  }

  /** Returns the schema that stands in the file. */
  static ObjectNode stored() {
    try {
      return (ObjectNode) JSON.readTree(Files.readString(FILE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ObjectNode schema() {
    ObjectNode schema = JSON.createObjectNode();
    schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    schema.put("title", "Headrace settings (headrace.yaml)");
    addGroup(schema, "");
    ObjectNode forms = schema.putObject("$defs");
    forms.putObject("placeholder").put("type", "string").put("pattern", PLACEHOLDER);
    forms.putObject("duration").set("anyOf", anyOf(text(DURATION), constant(0), placeholder()));
    forms
        .putObject("duration-or-off")
        .set("anyOf", anyOf(reference("duration"), JSON.createObjectNode().put("const", "off")));
    forms
        .putObject("positive-duration")
        .set("anyOf", anyOf(text(POSITIVE_DURATION), placeholder()));
    forms.putObject("size").set("anyOf", anyOf(text(SIZE), placeholder()));
    forms.putObject("text").put("type", "string").put("minLength", 1);
    forms.putObject("boolean").set("anyOf", anyOf(type("boolean"), placeholder()));
    forms
        .putObject("url")
        .set(
            "anyOf",
            anyOf(text("^(?!.*/v1/*$)[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+[^?#@]*$"), placeholder()));
    forms.putObject("mount").set("anyOf", anyOf(text("^(/|(/[A-Za-z0-9._~-]+)+)$"), placeholder()));
    forms
        .putObject("origin")
        .set("anyOf", anyOf(text("^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]+$"), placeholder()));
    forms.putObject("jdbc-url").set("anyOf", anyOf(text("^jdbc:[A-Za-z0-9]+:"), placeholder()));
    forms
        .putObject("header")
        .set("anyOf", anyOf(text("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"), placeholder()));
    forms
        .putObject("endpoint")
        .set(
            "anyOf",
            anyOf(
                text("^(GET|POST|DELETE) /v1(/([A-Za-z0-9._-]+|\\{[A-Za-z][A-Za-z0-9_-]*\\}))+$"),
                placeholder()));
    forms.putObject("request-rate").set("anyOf", anyOf(text(REQUEST_RATE), placeholder()));
    forms.putObject("budget").set("anyOf", anyOf(text(BUDGET), placeholder()));
    return schema;
  }

  private static void addGroup(ObjectNode schema, String group) {
    // "null" is a group of which all lines are commented out.
    ArrayNode types = schema.putArray("type");
    types.add("object").add("null");
    schema.put("additionalProperties", false);
    ObjectNode properties = schema.putObject("properties");
    for (Setting<?> setting : SettingTable.all()) {
      if (setting.group().equals(group)) {
        properties.set(setting.name(), property(setting));
      } else if (group.isEmpty() && !properties.has(setting.group())) {
        addGroup(properties.putObject(setting.group()), setting.group());
      }
    }
  }

  private static ObjectNode property(Property<?, ?> property) {
    ObjectNode schema = JSON.createObjectNode();
    String range = property.range();
    schema.put(
        "description", property.description() + (range.isEmpty() ? "" : " Range: " + range + "."));
    if (property.typeName().equals("integer")) {
      ObjectNode number = type("integer");
      property.minimum().ifPresent(minimum -> number.put("minimum", Integer.parseInt(minimum)));
      property.maximum().ifPresent(maximum -> number.put("maximum", Integer.parseInt(maximum)));
      schema.set("anyOf", anyOf(number, placeholder()));
    } else {
      schema.setAll(formOf(property));
    }
    property.defaultText().ifPresent(text -> addDefault(schema, property.type(), text));
    return schema;
  }

  /** Returns what values of one property look like, where its range says more than its type. */
  private static ObjectNode formOf(Property<?, ?> property) {
    if (property.name().equals("mount")) {
      return reference("mount");
    }
    boolean aboveZero = property.range().startsWith("above 0");
    return property.typeName().equals("duration") && aboveZero
        ? reference("positive-duration")
        : form(property.type());
  }

  /** Returns what values of a type look like, without the range of one property. */
  private static ObjectNode form(SettingType<?> type) {
    if (type instanceof ListType<?> list) {
      ObjectNode array = type("array");
      if (list.isText()) {
        array.put("uniqueItems", true);
      }
      if (list.minimumSize() > 0) {
        array.put("minItems", list.minimumSize());
      }
      if (list.maximumSize() < Integer.MAX_VALUE) {
        array.put("maxItems", list.maximumSize());
      }
      array.set("items", form(list.element()));
      return array;
    }
    if (type instanceof MapType<?> map) {
      ObjectNode object = type("object");
      object.set("propertyNames", keys(map.key()));
      object.set("additionalProperties", form(map.value()));
      return object;
    }
    if (type instanceof RecordType<?> record) {
      ObjectNode object = type("object");
      object.put("additionalProperties", false);
      ObjectNode properties = object.putObject("properties");
      for (Property<?, ?> property : record.properties()) {
        properties.set(property.name(), property(property));
      }
      if (!record.needed().isEmpty()) {
        ArrayNode required = object.putArray("required");
        record.needed().forEach(property -> required.add(property.name()));
      }
      return object;
    }
    if (type instanceof SettingType.Choice<?> choice) {
      ObjectNode words = JSON.createObjectNode();
      choice.words().forEach(words.putArray("enum")::add);
      return JSON.createObjectNode().set("anyOf", anyOf(words, placeholder()));
    }
    if (type instanceof SettingType.Word word) {
      return JSON.createObjectNode()
          .set("anyOf", anyOf(text("^" + word.pattern() + "$"), placeholder()));
    }
    return reference(
        switch (type.name()) {
          case "secret", "path", "address block", "time-zone", "prompt", "tools" -> "text";
          case "field-name" -> "header";
          default -> type.name();
        });
  }

  /** A key has no placeholders. */
  private static ObjectNode keys(SettingType<String> type) {
    return type instanceof SettingType.Word word
        ? JSON.createObjectNode().put("pattern", "^" + word.pattern() + "$")
        : JSON.createObjectNode().put("minLength", 1);
  }

  private static void addDefault(ObjectNode schema, SettingType<?> type, String text) {
    if (type instanceof ListType<?>) {
      ArrayNode elements = schema.putArray("default");
      if (!text.isEmpty()) {
        List.of(text.split(", ", -1)).forEach(elements::add);
      }
    } else if (type instanceof MapType<?>) {
      schema.putObject("default");
    } else if (type.name().equals("integer")) {
      schema.put("default", Integer.parseInt(text));
    } else if (type.name().equals("boolean")) {
      schema.put("default", Boolean.parseBoolean(text));
    } else {
      schema.put("default", text);
    }
  }

  private static ArrayNode anyOf(ObjectNode... forms) {
    ArrayNode array = JSON.createArrayNode();
    for (ObjectNode form : forms) {
      array.add(form);
    }
    return array;
  }

  private static ObjectNode type(String name) {
    return JSON.createObjectNode().put("type", name);
  }

  private static ObjectNode text(String pattern) {
    return type("string").put("pattern", pattern);
  }

  private static ObjectNode constant(int number) {
    return JSON.createObjectNode().put("const", number);
  }

  private static ObjectNode placeholder() {
    return reference("placeholder");
  }

  private static ObjectNode reference(String form) {
    return JSON.createObjectNode().put("$ref", "#/$defs/" + form);
  }
}
