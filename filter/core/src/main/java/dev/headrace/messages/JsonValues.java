package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.exc.JacksonIOException;

/** JSON of the operator that becomes part of a request body. Thread-safe. */
public final class JsonValues {
  private JsonValues() {}

  /**
   * A text as a JSON string in UTF-8, quotes included.
   *
   * @throws IllegalArgumentException if the text holds half a surrogate pair
   */
  public static byte[] string(String text) {
    return write(text);
  }

  /**
   * Maps, lists, strings, numbers, booleans and nulls as JSON in UTF-8, in their own order.
   *
   * @throws IllegalArgumentException if something else is among them, a number that JSON does not
   *     have, or half a surrogate pair; does not quote it
   */
  public static byte[] write(@Nullable Object value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JsonInput.output().createGenerator(ObjectWriteContext.empty(), out)) {
      write(json, value);
    }
    return out.toByteArray();
  }

  private static void write(JsonGenerator json, @Nullable Object value) {
    if (value == null) {
      json.writeNull();
    } else if (value instanceof String text) {
      json.writeString(wellFormed(text));
    } else if (value instanceof Boolean bool) {
      json.writeBoolean(bool);
    } else if (value instanceof BigDecimal decimal) {
      json.writeNumber(decimal);
    } else if (value instanceof BigInteger integer) {
      json.writeNumber(integer);
    } else if (value instanceof Integer || value instanceof Long) {
      json.writeNumber(((Number) value).longValue());
    } else if (value instanceof Double number && Double.isFinite(number)) {
      json.writeNumber(number);
    } else if (value instanceof List<?> list) {
      json.writeStartArray();
      list.forEach(each -> write(json, each));
      json.writeEndArray();
    } else if (value instanceof Map<?, ?> map) {
      json.writeStartObject();
      map.forEach(
          (name, each) -> {
            if (!(name instanceof String text)) {
              throw new IllegalArgumentException("a name that is not a text");
            }
            json.writeName(wellFormed(text));
            write(json, each);
          });
      json.writeEndObject();
    } else {
      throw new IllegalArgumentException("a value that JSON does not have");
    }
  }

  private static String wellFormed(String text) {
    if (!WellFormed.isWellFormed(text)) {
      throw new IllegalArgumentException("half a surrogate pair");
    }
    return text;
  }

  /**
   * The bytes of a JSON array of objects, as they are but for blanks around them.
   *
   * @param file one array in UTF-8 with at least one element, all of them objects with each field
   *     once
   * @throws InvalidBodyException if it is something else; quotes nothing of it
   */
  public static byte[] arrayOfObjects(byte[] file) throws InvalidBodyException {
    try (JsonParser parser = JsonInput.request(file, file.length)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw notAnArray();
      }
      int start = (int) parser.currentTokenLocation().getCharOffset(); // only blanks before it
      int count = 0;
      JsonToken element;
      while ((element = parser.nextToken()) != JsonToken.END_ARRAY) {
        if (element != JsonToken.START_OBJECT) {
          throw notAnArray();
        }
        parser.skipChildren();
        count++;
      }
      if (count == 0 || parser.nextToken() != null) {
        throw notAnArray();
      }
      int end = file.length;
      while (file[end - 1] != ']') {
        end--;
      }
      return Arrays.copyOfRange(file, start, end);
    } catch (JacksonIOException e) {
      throw new InvalidBodyException(
          "is not well-formed UTF-8 at byte " + Utf8Offsets.firstIllFormed(file, file.length));
    } catch (JacksonException e) {
      throw new InvalidBodyException(
          "is not valid JSON at line "
              + e.getLocation().getLineNr()
              + ", column "
              + e.getLocation().getColumnNr());
    }
  }

  private static InvalidBodyException notAnArray() {
    return new InvalidBodyException("is not an array of objects with at least one element");
  }

  /**
   * The text of a file.
   *
   * @throws InvalidBodyException if it is not well-formed UTF-8 (RFC 3629), begins with a byte
   *     order mark, which would become part of the text, holds NUL, or says nothing; quotes nothing
   *     of it
   */
  public static String text(byte[] file) throws InvalidBodyException {
    int illFormed = Utf8Offsets.firstIllFormed(file, file.length);
    if (illFormed < file.length) {
      throw new InvalidBodyException("is not well-formed UTF-8 at byte " + illFormed);
    }
    String text = new String(file, UTF_8);
    if (text.startsWith("\uFEFF")) {
      throw new InvalidBodyException("begins with a byte order mark");
    }
    if (text.indexOf('\0') >= 0) {
      throw new InvalidBodyException("holds the character NUL");
    }
    if (text.isBlank()) {
      throw new InvalidBodyException("is empty");
    }
    return text;
  }
}
