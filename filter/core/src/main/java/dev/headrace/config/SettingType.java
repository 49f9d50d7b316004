package dev.headrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The form of a value: how it is read from text, written back and shown. Whether a well-formed
 * value is also allowed is the matter of {@link Range}. Immutable.
 */
abstract class SettingType<T> {
  static final SettingType<Boolean> BOOLEAN =
      new SettingType<>("boolean", "true or false") {
        @Override
        Boolean read(String text) throws BadValue {
          return switch (text) {
            case "true" -> true;
            case "false" -> false;
            case "yes", "no", "on", "off" ->
                throw BadValue.expected(
                    "true or false; yes, no, on and off are plain words in YAML 1.2");
            default -> throw BadValue.expected(expected());
          };
        }
      };

  static final SettingType<Integer> INTEGER =
      new SettingType<>("integer", "a whole number without a unit, such as 100") {
        private static final Pattern FORM = Pattern.compile("0|-?[1-9][0-9]{0,8}");

        @Override
        Integer read(String text) throws BadValue {
          if (!FORM.matcher(text).matches()) {
            throw BadValue.expected(expected());
          }
          return Integer.valueOf(text);
        }
      };

  static final SettingType<Duration> DURATION =
      new SettingType<>("duration", Durations.EXPECTED) {
        @Override
        Duration read(String text) throws BadValue {
          return Durations.read(text);
        }

        @Override
        String write(Duration value) {
          return Durations.format(value);
        }
      };

  /** A duration of which zero is written {@code off}. */
  static final SettingType<Duration> DURATION_OR_OFF =
      new SettingType<>("duration-or-off", "off or " + Durations.EXPECTED) {
        @Override
        Duration read(String text) throws BadValue {
          return text.equals("off") ? Duration.ZERO : Durations.read(text, expected());
        }

        @Override
        String write(Duration value) {
          return value.isZero() ? "off" : Durations.format(value);
        }
      };

  static final SettingType<ByteSize> SIZE =
      new SettingType<>("size", "a size with its unit, such as 4096B, 64KiB or 8MiB") {
        @Override
        ByteSize read(String text) throws BadValue {
          return ByteSize.read(text);
        }
      };

  static final SettingType<String> TEXT =
      new SettingType<>("text", "text") {
        @Override
        String read(String text) {
          return text;
        }

        @Override
        String show(String text) {
          return Shown.text(text);
        }

        @Override
        String print(String value) {
          return Shown.quoted(value);
        }
      };

  static final SettingType<URI> URL =
      new SettingType<>("url", "a URL such as https://api.anthropic.com") {
        @Override
        URI read(String text) throws BadValue {
          try {
            return new URI(text);
          } catch (URISyntaxException e) {
            throw BadValue.expected(expected());
          }
        }

        @Override
        String show(String text) {
          return Shown.url(text);
        }

        @Override
        String print(URI value) {
          return '"' + Shown.url(value.toString()) + '"';
        }
      };

  static final SettingType<Path> FILE =
      new SettingType<>("path", "the path of a file") {
        @Override
        Path read(String text) throws BadValue {
          try {
            if (!text.isBlank()) {
              return Path.of(text);
            }
          } catch (InvalidPathException e) {
            // Said below, without the message of the exception, which repeats the text.
          }
          throw BadValue.expected(expected());
        }

        @Override
        Path below(Path folder, Path value) {
          return folder.resolve(value);
        }

        @Override
        String print(Path value) {
          return Shown.quoted(value.toString());
        }
      };

  static final SettingType<Secret> SECRET =
      new SettingType<>("secret", "text") {
        @Override
        Secret read(String text) {
          return Secret.of(text);
        }

        @Override
        String show(String text) {
          return Secret.MASK;
        }
      };

  /** A header that the gateway may forward, in lower case, since field names have no case. */
  static final SettingType<String> HEADER =
      new SettingType<>("header", "the name of a request header") {
        @Override
        String read(String text) throws BadValue {
          ForwardableHeaders.check(text);
          return text.toLowerCase(Locale.ROOT);
        }

        @Override
        String print(String value) {
          return Shown.quoted(value);
        }
      };

  static final SettingType<EndpointTemplate> ENDPOINT =
      new SettingType<>("endpoint", "an endpoint such as GET /v1/files/{id}") {
        @Override
        EndpointTemplate read(String text) throws BadValue {
          return EndpointTemplate.read(text);
        }

        @Override
        String print(EndpointTemplate value) {
          return Shown.quoted(value.toString());
        }
      };

  /** One of a few words: the constants of an enum in lower case, with dashes. */
  static <E extends Enum<E>> SettingType<E> oneOf(Class<E> type) {
    return new Choice<>(type);
  }

  static <E> ListOf<E> listOf(SettingType<E> element) {
    return new ListOf<>(element);
  }

  private final String name;
  private final String expected;

  private SettingType(String name, String expected) {
    this.name = name;
    this.expected = expected;
  }

  /** Returns the name of the form, as in the settings reference. */
  final String name() {
    return name;
  }

  /** Returns what a value looks like, for an error text. */
  final String expected() {
    return expected;
  }

  /** Reads a value; the range is not checked. */
  abstract T read(String text) throws BadValue;

  /** Writes a value so that {@link #read} gives it back. */
  String write(T value) {
    return value.toString();
  }

  /** Returns the value as it is meant below a folder: a relative path starts there. */
  T below(Path folder, T value) {
    return value;
  }

  /** Shows text that may not even be a value of this type, safe for an error message. */
  String show(String text) {
    return Shown.text(text);
  }

  /** Prints a value for the list of effective settings: text quoted, secrets masked. */
  String print(T value) {
    return show(write(value));
  }

  /** A fixed set of words. */
  static final class Choice<E extends Enum<E>> extends SettingType<E> {
    private final List<E> constants;

    private Choice(Class<E> type) {
      super(
          "choice of "
              + String.join(", ", Stream.of(type.getEnumConstants()).map(Choice::word).toList()),
          String.join(" or ", Stream.of(type.getEnumConstants()).map(Choice::word).toList()));
      this.constants = List.of(type.getEnumConstants());
    }

    @Override
    E read(String text) throws BadValue {
      for (E constant : constants) {
        if (word(constant).equals(text)) {
          return constant;
        }
      }
      throw BadValue.expected(expected());
    }

    @Override
    String write(E value) {
      return word(value);
    }

    private static String word(Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** A list; in an environment variable its elements are separated by commas. */
  static final class ListOf<E> extends SettingType<List<E>> {
    private final SettingType<E> element;

    private ListOf(SettingType<E> element) {
      super("list of " + element.name(), "a list, each element " + element.expected());
      this.element = element;
    }

    SettingType<E> element() {
      return element;
    }

    @Override
    List<E> read(String text) throws BadValue {
      List<E> list = new ArrayList<>();
      if (!text.isBlank()) {
        for (String part : text.split(",", -1)) {
          list.add(element.read(part.strip()));
        }
      }
      return List.copyOf(list);
    }

    @Override
    String write(List<E> value) {
      return String.join(", ", value.stream().map(element::write).toList());
    }

    @Override
    String print(List<E> value) {
      return value.stream().map(element::print).toList().toString();
    }
  }
}
