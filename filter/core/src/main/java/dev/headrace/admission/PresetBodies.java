package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.JsonValues;
import dev.headrace.messages.Printable;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.RequestHead.TokenRange;
import dev.headrace.messages.RequestOutline;
import dev.headrace.messages.RequestOutline.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes upstream bodies from what clients of one preset send: the preset's own fields first, then
 * what it leaves open, then the client's {@code messages}, byte for byte. Everything before the
 * client's part is the same in each request, so that prompt caching works. Thread-safe.
 */
public final class PresetBodies {
  private static final byte[] NOTHING = {};

  /** Stand at a place of their own in the upstream body. */
  private static final Set<String> WRITTEN_BY_US = Set.of("messages", "stream", "max_tokens");

  /** Makes a part of the body from the text of the settings or of a file. */
  private interface Section<T> {
    T from(byte[] source) throws InvalidBodyException;
  }

  private final Preset preset;
  private final String model;
  private final byte[] modelToken;
  private final Supplier<byte[]> system;
  private final Supplier<Tools> tools;
  private final String mayBeSent;

  /**
   * Reads the files of a preset.
   *
   * @param aliases as in {@link RequestPolicy.Builder#aliases}
   * @param nanoTime for the second between two looks at a file; as {@link System#nanoTime}
   * @throws PresetFileException if a text or file of the preset cannot be used
   */
  public PresetBodies(Preset preset, Map<String, String> aliases, LongSupplier nanoTime)
      throws PresetFileException {
    this.preset = preset;
    this.model = requireNonNull(aliases.getOrDefault(preset.model(), preset.model()));
    this.modelToken = JsonValues.string(model);
    this.system = section("system", preset.system(), NOTHING, this::systemSection, nanoTime);
    this.tools = section("tools", preset.tools(), Tools.NONE, Tools::from, nanoTime);
    List<String> open = new ArrayList<>(List.of("messages", "stream"));
    open.addAll(preset.open());
    this.mayBeSent = String.join(", ", open);
  }

  private <T> Supplier<T> section(
      String name, @Nullable PresetSource source, T none, Section<T> section, LongSupplier nanoTime)
      throws PresetFileException {
    if (source == null) {
      return () -> none;
    }
    String setting = "presets." + preset.name() + "." + name;
    Path file = source.file();
    if (file != null) {
      return new WatchedFile<>(setting, file, section::from, nanoTime)::content;
    }
    try {
      T read = section.from(requireNonNull(source.text()).getBytes(UTF_8));
      return () -> read;
    } catch (InvalidBodyException e) {
      throw new PresetFileException(setting + ": " + e.getMessage());
    }
  }

  private byte[] systemSection(byte[] source) throws InvalidBodyException {
    String text = JsonValues.text(source);
    StringBuilder section = new StringBuilder(",\"system\":[{\"type\":\"text\",\"text\":");
    section.append(new String(JsonValues.string(text), UTF_8));
    if (preset.cacheSystem()) {
      section.append(",\"cache_control\":{\"type\":\"ephemeral\"}");
    }
    return section.append("}]").toString().getBytes(UTF_8);
  }

  /** The recipe. */
  public Preset preset() {
    return preset;
  }

  /**
   * The upstream body for what a client sent. It asks for a stream unless the client sent {@code
   * "stream": false}.
   *
   * @param body holds the client's body from its start; is not changed
   * @param length how many bytes of the array are the body
   * @param plan the rules of the caller's plan
   * @throws InvalidBodyException if the body cannot be read as a conversation; a 400
   * @throws RefusedException 400 if it has a field that the preset does not leave open, or asks for
   *     more than the preset allows; 403 if the plan does not allow how it is to be served
   */
  public UpstreamBody body(byte[] body, int length, RequestPolicy plan)
      throws InvalidBodyException, RefusedException {
    RequestOutline outline = RequestOutline.readConversation(body, length);
    check(outline);
    plan.checkServing(outline);
    return build(body, outline);
  }

  private void check(RequestOutline outline) throws RefusedException {
    for (Field field : outline.fields()) {
      String name = field.name();
      if (!name.equals("messages") && !name.equals("stream") && !preset.open().contains(name)) {
        throw new RefusedException(
            400,
            "body: field \""
                + Printable.name(name)
                + "\" is not allowed (expected: only "
                + mayBeSent
                + "; presets."
                + preset.name()
                + ".open)");
      }
    }
    Long asked = outline.head().maxTokens();
    if (asked != null && asked > preset.maxTokens()) {
      throw new RefusedException(
          400,
          "body: field \"max_tokens\" is "
              + asked
              + " (expected: at most "
              + preset.maxTokens()
              + "; presets."
              + preset.name()
              + ".max-tokens)");
    }
  }

  private UpstreamBody build(byte[] body, RequestOutline outline) {
    Field messages = requireNonNull(outline.field("messages"));
    boolean stream = outline.head().stream() || outline.field("stream") == null;
    Long asked = outline.head().maxTokens();
    long maxTokens = asked == null ? preset.maxTokens() : asked;

    Tools toolsNow = tools.get();

    Pieces pieces = new Pieces();
    pieces.add("{\"model\":");
    TokenRange modelRange = pieces.add(modelToken);
    pieces.add(",\"max_tokens\":");
    TokenRange maxTokensRange = pieces.add(Long.toString(maxTokens));
    pieces.add(system.get());
    pieces.add(toolsNow.section);
    pieces.add(stream ? ",\"stream\":true" : ",\"stream\":false");
    for (Field field : outline.fields()) {
      if (!WRITTEN_BY_US.contains(field.name())) {
        pieces.add(",\"" + field.name() + "\":"); // a name of the settings: plain ASCII
        pieces.add(body, field.value());
      }
    }
    pieces.add(",\"messages\":");
    pieces.add(body, messages.value());
    pieces.add("}");
    byte[] built = pieces.join();
    return new UpstreamBody(
        built,
        built.length,
        new RequestHead(
            model,
            stream,
            maxTokens,
            modelRange,
            maxTokensRange,
            outline.head().speed(),
            outline.head().inferenceGeo(),
            outline.head().fallbackModels(),
            toolsNow.models,
            outline.head().references()));
  }

  /** The tools of a preset and the models that they ask. */
  private static final class Tools {
    private static final Tools NONE = new Tools(NOTHING, Set.of());

    private final byte[] section;
    private final Set<String> models;

    private Tools(byte[] section, Set<String> models) {
      this.section = section;
      this.models = models;
    }

    static Tools from(byte[] source) throws InvalidBodyException {
      String array = new String(JsonValues.arrayOfObjects(source), UTF_8);
      byte[] alone = ("{\"tools\":" + array + "}").getBytes(UTF_8);
      return new Tools(
          (",\"tools\":" + array).getBytes(UTF_8),
          RequestHead.read(alone, alone.length).toolModels());
    }
  }

  /** Puts byte ranges together in one copy. */
  private static final class Pieces {
    private final List<byte[]> sources = new ArrayList<>();
    private final List<TokenRange> ranges = new ArrayList<>();
    private int length;

    TokenRange add(String ascii) {
      return add(ascii.getBytes(US_ASCII));
    }

    TokenRange add(byte[] all) {
      return add(all, new TokenRange(0, all.length));
    }

    /** Returns where the piece stands in the result. */
    TokenRange add(byte[] source, TokenRange range) {
      int start = length;
      sources.add(source);
      ranges.add(range);
      length = Math.addExact(length, range.end() - range.start());
      return new TokenRange(start, length);
    }

    byte[] join() {
      byte[] joined = new byte[length];
      int at = 0;
      for (int i = 0; i < sources.size(); i++) {
        TokenRange range = ranges.get(i);
        System.arraycopy(sources.get(i), range.start(), joined, at, range.end() - range.start());
        at += range.end() - range.start();
      }
      return joined;
    }
  }
}
