package dev.headrace.messages;

import java.util.LinkedHashSet;
import java.util.Set;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Collects the models that the objects of an array name: {@code tools} and {@code fallbacks}. Not
 * thread-safe: one instance per field.
 */
final class NamedModels {

  private final Set<String> models = new LinkedHashSet<>();

  Set<String> all() {
    return models;
  }

  /** Reads a value of a list: afterwards the parser stands at its last token. */
  void read(JsonToken value, JsonParser parser, BodyFaults faults) throws InvalidBodyException {
    if (value != JsonToken.START_ARRAY) {
      parser.skipChildren();
      return;
    }
    JsonToken element;
    while ((element = parser.nextToken()) != JsonToken.END_ARRAY) {
      if (element == JsonToken.START_OBJECT) {
        readObject(parser, faults);
      } else {
        parser.skipChildren();
      }
    }
  }

  private void readObject(JsonParser parser, BodyFaults faults) throws InvalidBodyException {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean isModel = parser.currentName().equals("model");
      JsonToken value = parser.nextToken();
      if (isModel && value == JsonToken.VALUE_STRING) {
        add(faults);
      } else {
        parser.skipChildren();
      }
    }
  }

  /** Adds the string at which the parser stands. */
  void add(BodyFaults faults) throws InvalidBodyException {
    String model = faults.shortText();
    if (models.size() == RequestHead.MAX_MODELS && !models.contains(model)) {
      throw faults.at(
          "field \"" + faults.path() + "\" is one model too many",
          "at most " + RequestHead.MAX_MODELS + " of them");
    }
    models.add(model);
  }
}
