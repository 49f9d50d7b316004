package dev.headrace.config;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.JsonRecyclerPools;

/** Looks into JSON that stands in the settings. Stateless. */
final class JsonText {
  private static final String EXPECTED =
      "a JSON array of objects with at least one element, or file: and the path of a file";

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private JsonText() {}

  static void checkArrayOfObjects(String text) throws BadValue {
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
      int count = 0;
      JsonToken token = parser.nextToken();
      boolean array = token == JsonToken.START_ARRAY;
      while (array && (token = parser.nextToken()) != JsonToken.END_ARRAY) {
        array = token == JsonToken.START_OBJECT;
        parser.skipChildren();
        count++;
      }
      if (!array || count == 0 || parser.nextToken() != null) {
        throw BadValue.noted("are no array of objects", EXPECTED);
      }
    } catch (JacksonException e) {
      // Not its message, which may quote the text.
      throw BadValue.noted(
          "are no valid JSON at line "
              + e.getLocation().getLineNr()
              + ", column "
              + e.getLocation().getColumnNr(),
          EXPECTED);
    }
  }
}
