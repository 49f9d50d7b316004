package dev.headrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The form of a value: how it is read from text, written back and shown. Whether a well-formed
 * value is also allowed is the matter of {@link Range}. Immutable. Internal: may change in any
 * release.
 *
 * <p>Most types are of one line of text. {@link ListType}, {@link MapType} and {@link RecordType}
 * put others together; a new list of records or map needs no reader of its own, only its
 * properties: see {@link MemberProperties}.
 */
public abstract class SettingType<T> {
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

  /** The same for what an {@code int} may be too small for. */
  static final SettingType<Long> LONG =
      new SettingType<>("integer", INTEGER.expected()) {
        @Override
        Long read(String text) throws BadValue {
          return INTEGER.read(text).longValue();
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

  /** Credentials do not belong into it, and are not shown should there be any. */
  static final SettingType<String> JDBC_URL =
      new SettingType<>("jdbc-url", "a URL such as jdbc:postgresql://localhost/headrace") {
        private static final Pattern FORM = Pattern.compile("jdbc:[A-Za-z0-9]+:\\S+");
        private static final Pattern CREDENTIALS =
            Pattern.compile("(?i).*(//[^/?]*@|(?<![a-z])(password|pwd|pass)[1-3]?=).*");

        @Override
        String read(String text) throws BadValue {
          if (!FORM.matcher(text).matches()) {
            throw BadValue.expected(expected());
          }
          if (CREDENTIALS.matcher(text).matches()) {
            throw BadValue.expected(
                "a URL without user and password, which have settings of their own");
          }
          return text;
        }

        @Override
        void check(String path, String value, Faults faults) {
          try {
            read(value);
          } catch (BadValue e) {
            faults.add(path, shown(value), e);
          }
        }

        @Override
        String show(String text) {
          return Shown.jdbcUrl(text);
        }
      };

  static final SettingType<Path> FILE = new PathType("the path of a file");

  /** Of what the gateway writes, and finds again when the application is deployed again. */
  static final SettingType<Path> FOLDER_TO_KEEP =
      new PathType("the path of a folder") {
        @Override
        Path start(RelativePaths paths, Path value) throws BadValue {
          return paths.resolveToKeep(value);
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

  /** The name of something that the user made up, which logs and metrics repeat. */
  static final SettingType<String> NAME =
      new Word(
          "name",
          "a name of letters, digits, dot, dash and underscore, at most 40 of them",
          "[A-Za-z0-9._-]{1,40}");

  static final SettingType<String> MODEL =
      new Word(
          "model",
          "the name of a model such as claude-sonnet-5-5: letters, digits and . _ : @ / -, a letter"
              + " or digit first, at most 128 of them",
          "[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}");

  /** A role or group; whatever the application calls them, but no blanks around it. */
  static final SettingType<String> ROLE =
      new Word(
          "role",
          "the name of a role or group, at most 200 characters, no blank at either end",
          "\\S(.{0,198}\\S)?");

  /** The name of a field of a request, in lower case, since field names have no case. */
  static final SettingType<String> FIELD_NAME =
      new SettingType<>("field-name", "the name of a request header, such as x-forwarded-user") {
        private static final Pattern TOKEN =
            Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"); // RFC 9110, 5.1

        @Override
        String read(String text) throws BadValue {
          if (!TOKEN.matcher(text).matches()) {
            throw BadValue.expected(expected());
          }
          return text.toLowerCase(Locale.ROOT);
        }

        @Override
        void check(String path, String value, Faults faults) {
          try {
            read(value);
          } catch (BadValue e) {
            faults.add(path, shown(value), e);
          }
        }

        @Override
        String print(String value) {
          return Shown.quoted(value);
        }
      };

  static final SettingType<String> ORIGIN =
      new SettingType<>("origin", Origins.EXPECTED) {
        @Override
        String read(String text) throws BadValue {
          return Origins.read(text);
        }

        @Override
        void check(String path, String value, Faults faults) {
          try {
            read(value);
          } catch (BadValue e) {
            faults.add(path, shown(value), e);
          }
        }

        @Override
        String show(String text) {
          return Shown.url(text);
        }

        @Override
        String print(String value) {
          return Shown.quoted(value);
        }
      };

  static final SettingType<ZoneId> TIME_ZONE =
      new SettingType<>("time-zone", "a time zone such as UTC or Europe/Berlin") {
        @Override
        ZoneId read(String text) throws BadValue {
          try {
            return ZoneId.of(text);
          } catch (DateTimeException e) {
            throw BadValue.expected(expected());
          }
        }
      };

  /** The key of a plan, which logs and metrics repeat. */
  static final SettingType<String> PLAN_NAME =
      new Word(
          "plan name",
          "a name of lower-case letters, digits and dashes, at most 40 of them",
          "[a-z0-9-]{1,40}");

  /** The key of a preset, which is a segment of its URL. */
  static final SettingType<String> PRESET_NAME =
      new Word(
          "preset name",
          "a name of lower-case letters, digits and dashes, at most 64 of them",
          "[a-z0-9-]{1,64}");

  /** Text of one pattern, for a type that only one record has. */
  static SettingType<String> word(String name, String expected, String pattern) {
    return new Word(name, expected, pattern);
  }

  /** One of a few words: the constants of an enum in lower case, with dashes. */
  static <E extends Enum<E>> SettingType<E> oneOf(Class<E> type) {
    return new Choice<>(type);
  }

  static <E> ListType<E> listOf(SettingType<E> element) {
    return new ListType<>(element);
  }

  static <V> MapType<V> mapOf(SettingType<String> key, SettingType<V> value) {
    return new MapType<>(key, value);
  }

  private final String name;
  private final String expected;

  SettingType(String name, String expected) {
    this.name = name;
    this.expected = expected;
  }

  /** Returns the name of the form, as in the settings reference. */
  public final String name() {
    return name;
  }

  /** Returns what a value looks like, for an error text. */
  final String expected() {
    return expected;
  }

  /** Returns whether a value fits into one line, and so into an environment variable. */
  public boolean isText() {
    return true;
  }

  /**
   * Reads a value; the range is not checked. Of a type that is no text, only the default is read
   * so: nothing, for no elements.
   */
  abstract T read(String text) throws BadValue;

  /**
   * Reads a value from the file by the reader's method for this kind of type.
   *
   * @return null if there is a problem, which the reader has then noted
   */
  @Nullable T read(NodeReader reader, Place place, YamlNode node) {
    return reader.scalar(this, place, node);
  }

  /** Checks what {@link #read} sees to, for a value that was made by code. */
  void check(String path, T value, Faults faults) {}

  /** Writes a value so that {@link #read(String)} gives it back. */
  String write(T value) {
    return value.toString();
  }

  /**
   * Returns the value as it is meant in a settings file: with a relative path starting where it
   * should.
   *
   * @throws BadValue if it is a relative path that cannot be meant there
   */
  T start(RelativePaths paths, T value) throws BadValue {
    return value;
  }

  /** Shows text that may not even be a value of this type, safe for an error message. */
  String show(String text) {
    return Shown.text(text);
  }

  /** Shows a value in an error text. */
  String shown(T value) {
    return show(write(value));
  }

  /** Prints a value for the list of effective settings: text quoted, secrets masked. */
  String print(T value) {
    return show(write(value));
  }

  private static class PathType extends SettingType<Path> {
    PathType(String expected) {
      super("path", expected);
    }

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
    Path start(RelativePaths paths, Path value) throws BadValue {
      return paths.resolve(value);
    }

    @Override
    String print(Path value) {
      return Shown.quoted(value.toString());
    }
  }

  /** A fixed set of words. */
  public static final class Choice<E extends Enum<E>> extends SettingType<E> {
    private final List<E> constants;

    private Choice(Class<E> type) {
      super("choice of " + words(type, ", "), words(type, " or "));
      this.constants = List.of(type.getEnumConstants());
    }

    /** Returns the words, in the order of the constants. */
    public List<String> words() {
      return constants.stream().map(Choice::word).toList();
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

    private static String words(Class<? extends Enum<?>> type, String between) {
      return Stream.of(type.getEnumConstants())
          .map(Choice::word)
          .collect(Collectors.joining(between));
    }

    private static String word(Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Text of one pattern. */
  public static final class Word extends SettingType<String> {
    private final Pattern pattern;

    private Word(String name, String expected, String pattern) {
      super(name, expected);
      this.pattern = Pattern.compile(pattern);
    }

    /** Returns the regular expression that the whole text matches. */
    public String pattern() {
      return pattern.pattern();
    }

    @Override
    String read(String text) throws BadValue {
      if (!pattern.matcher(text).matches()) {
        throw BadValue.expected(expected());
      }
      return text;
    }

    @Override
    void check(String path, String value, Faults faults) {
      try {
        read(value);
      } catch (BadValue e) {
        faults.add(path, shown(value), e);
      }
    }

    @Override
    String print(String value) {
      return Shown.quoted(value);
    }
  }
}
