package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A made-up stream that keeps to the API's grammar: blocks of all kinds, now and then interleaved,
 * text of any Unicode cut anywhere, tool inputs cut anywhere and now and then invalid, several
 * {@code message_delta}, pings, padding, and events, blocks and deltas that nobody knows. Half
 * surrogate pairs occur at cuts only.
 */
public final class RandomStream {
  private static final String[] PIECES = {
    "Hello",
    " ",
    "world, ",
    "é",
    "ß",
    "€",
    "漢字",
    "\uD83D\uDC4B",
    "\uD83C\uDDE9\uD83C\uDDEA",
    "\"",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u0007",
    "\u007f",
    "\u2028",
    "\u2029",
    "\uFEFF",
    "</script>",
    "data: x\n\n",
    "{}",
    "\\ud83d",
    "\uFFFD",
    "\uFFFF",
    "𝒳"
  };
  private static final String[] STOP_REASONS = {
    "end_turn", "max_tokens", "tool_use", "stop_sequence", "refusal", "pause_turn", "new_reason"
  };

  private final Random random;
  private final StringBuilder stream = new StringBuilder();

  /** What each open block still has to say, by index. */
  private final Map<Integer, List<String>> open = new LinkedHashMap<>();

  private final Map<Integer, String> invalidInputs = new LinkedHashMap<>();
  private int index;
  private boolean interleaved;

  /** The stream of this seed. */
  public RandomStream(long seed, int maxBlocks) {
    random = new Random(seed);
    messageStart();
    int blocks = random.nextInt(maxBlocks + 1);
    while (index < blocks || !open.isEmpty()) {
      noise();
      boolean interleave = random.nextInt(8) == 0;
      if (index < blocks && (open.isEmpty() || interleave)) {
        interleaved |= !open.isEmpty();
        startBlock();
      } else {
        goOn();
      }
    }
    messageDeltas();
    event("message_stop", "{\"type\":\"message_stop\"");
  }

  /** The bytes as the API would send them. */
  public byte[] bytes() {
    return stream.toString().getBytes(UTF_8);
  }

  /** The inputs that are no JSON object, by index of their blocks; a lone half is replaced. */
  public Map<Integer, String> invalidInputs() {
    return invalidInputs;
  }

  /** Whether a block began before the one before it ended: then pieces arrive mixed. */
  public boolean interleaved() {
    return interleaved;
  }

  @Override
  public String toString() {
    return stream.toString();
  }

  private boolean maybe() {
    return random.nextBoolean();
  }

  private String pick(String... choices) {
    return choices[random.nextInt(choices.length)];
  }

  /** Writes an event; the JSON lacks its last brace, before which the API pads. */
  private void event(String name, String json) {
    stream.append("event: ").append(name).append("\ndata: ").append(json);
    stream.append(" ".repeat(maybe() ? 0 : random.nextInt(16))).append("}\n\n");
  }

  private void noise() {
    switch (random.nextInt(12)) {
      case 0 -> stream.append("event: ping\ndata: {\"type\": \"ping\"}\n\n");
      case 1 -> event("new_event", "{\"type\":\"new_event\",\"index\":0,\"x\":[{\"y\":1}]");
      default -> {}
    }
  }

  private void messageStart() {
    String json =
        "{\"type\":\"message_start\",\"message\":{\"model\":\"claude-opus-5-5\",\"id\":\"msg_"
            + random.nextInt(1000)
            + "\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,"
            + "\"stop_sequence\":null,\"stop_details\":null,\"container\":null,"
            + (maybe() ? "\"new_field\":{\"a\":[1,\"b\",null]}," : "")
            + "\"usage\":{\"input_tokens\":"
            + random.nextInt(5000)
            + (maybe()
                ? ",\"cache_creation_input_tokens\":null"
                : ",\"cache_creation_input_tokens\":7")
            + ",\"cache_read_input_tokens\":"
            + random.nextInt(9)
            + ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":3,\"ephemeral_1h_input_tokens\":4}"
            + ",\"output_tokens\":1,\"service_tier\":\"standard\",\"inference_geo\":\"us\""
            + (maybe() ? ",\"new_count\":12" : "")
            + "}}";
    event("message_start", json);
  }

  private void messageDeltas() {
    int count = 1 + random.nextInt(3);
    int output = 0;
    for (int i = 0; i < count; i++) {
      output += random.nextInt(50);
      String reason = i + 1 < count && maybe() ? "null" : quote(pick(STOP_REASONS));
      event(
          "message_delta",
          "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
              + reason
              + ",\"stop_sequence\":"
              + (maybe() ? "null" : quote(text(2)))
              + ",\"stop_details\":"
              + pick(
                  "null", "{\"type\":\"refusal\",\"category\":\"cyber\",\"explanation\":\"No.\"}")
              + ",\"container\":"
              + pick(
                  "null", "{\"id\":\"c1\",\"expires_at\":\"2026-11-22T10:15:30Z\",\"skills\":null}")
              + "},\"usage\":{"
              + (maybe()
                  ? "\"input_tokens\":" + random.nextInt(9000) + ","
                  : "\"input_tokens\":null,")
              + (maybe() ? "\"cache_read_input_tokens\":" + random.nextInt(90) + "," : "")
              + "\"output_tokens\":"
              + output
              + pick(
                  "",
                  ",\"output_tokens_details\":{\"thinking_tokens\":2}",
                  ",\"server_tool_use\":{\"web_search_requests\":1,\"web_fetch_requests\":0}",
                  ",\"server_tool_use\":null")
              + "}"
              + pick("", "", ",\"context_management\":{\"applied_edits\":[]}"));
      noise();
    }
  }

  private void startBlock() {
    List<String> deltas = new ArrayList<>();
    String block =
        switch (random.nextInt(14)) {
          case 0, 1, 2, 3 -> textBlock(deltas);
          case 4 -> thinkingBlock(deltas);
          case 5, 6, 7 ->
              toolBlock(deltas, "\"tool_use\",\"id\":\"toolu_" + index + "\",\"name\":\"look_up\"");
          case 8 ->
              toolBlock(
                  deltas,
                  "\"server_tool_use\",\"id\":\"srvtoolu_" + index + "\",\"name\":\"web_search\"");
          case 9 ->
              toolBlock(
                  deltas,
                  "\"mcp_tool_use\",\"id\":\"mcptoolu_1\",\"name\":\"echo\",\"server_name\":\"ex\"");
          case 10 ->
              pick(
                  "{\"type\":\"redacted_thinking\",\"data\":\"EmwK\"}",
                  "{\"type\":\"mcp_tool_result\",\"tool_use_id\":\"mcptoolu_1\",\"is_error\":false,"
                      + "\"content\":[{\"type\":\"text\",\"text\":\"hi\",\"citations\":null}]}");
          case 11 ->
              "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"srvtoolu_1\",\"content\":["
                  + "{\"type\":\"web_search_result\",\"title\":"
                  + quote(text(3))
                  + ",\"url\":\"https://gauge.example/\",\"encrypted_content\":\"Eq\","
                  + "\"page_age\":null}],\"caller\":{\"type\":\"direct\"}}";
          case 12 -> {
            deltas.add(
                "{\"type\":\"compaction_delta\",\"content\":"
                    + quote(text(6))
                    + ",\"encrypted_content\":null}");
            yield "{\"type\":\"compaction\",\"content\":null}";
          }
          default ->
              pick(
                  "{\"type\":\"fallback\",\"from\":{\"model\":\"claude-opus-5-5\"},\"to\":{\"model\":"
                      + "\"claude-sonnet-5-5\"},\"trigger\":{\"type\":\"refusal\",\"category\":\"cyber\"}}",
                  "{\"type\":\"new_block\",\"text\":\"not shown\",\"n\":[1,{\"a\":true}]}");
        };
    event(
        "content_block_start",
        "{\"type\":\"content_block_start\",\"index\":" + index + ",\"content_block\":" + block);
    open.put(index, deltas);
    index++;
  }

  /** Sends the next delta or the stop of one of the open blocks. */
  private void goOn() {
    Integer[] indexes = open.keySet().toArray(Integer[]::new);
    int chosen = indexes[random.nextInt(indexes.length)];
    List<String> deltas = requireNonNull(open.get(chosen));
    if (deltas.isEmpty()) {
      open.remove(chosen);
      event("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":" + chosen);
      return;
    }
    event(
        "content_block_delta",
        "{\"type\":\"content_block_delta\",\"index\":"
            + chosen
            + ",\"delta\":"
            + (random.nextInt(20) == 0
                ? "{\"type\":\"new_delta\",\"text\":\"not shown\"}"
                : deltas.remove(0)));
  }

  private String textBlock(List<String> deltas) {
    for (String piece : pieces(text(8))) {
      deltas.add("{\"type\":\"text_delta\",\"text\":" + piece + "}");
    }
    boolean cited = random.nextInt(4) == 0;
    for (int i = 0; cited && i < 1 + random.nextInt(2); i++) {
      deltas.add(
          random.nextInt(deltas.size() + 1),
          "{\"type\":\"citations_delta\",\"citation\":{\"type\":\"web_search_result_location\","
              + "\"cited_text\":"
              + quote(text(2))
              + ",\"url\":\"https://gauge.example/\",\"title\":null,\"encrypted_index\":\"Eo8\"}}");
    }
    return "{"
        + (cited ? "\"citations\":[]," : maybe() ? "\"citations\":null," : "")
        + "\"type\":\"text\",\"text\":\"\"}";
  }

  private String thinkingBlock(List<String> deltas) {
    if (maybe()) {
      for (String piece : pieces(text(8))) {
        deltas.add("{\"type\":\"thinking_delta\",\"thinking\":" + piece + "}");
      }
    }
    deltas.add("{\"type\":\"signature_delta\",\"signature\":\"EvQC\"}");
    return "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}";
  }

  private String toolBlock(List<String> deltas, String head) {
    String input = random.nextInt(6) == 0 ? "" : object(3);
    if (!input.isEmpty() && random.nextInt(6) == 0) {
      input =
          maybe()
              ? input.substring(0, input.length() - 1 - random.nextInt(input.length() - 1))
              : "{nonsense}";
      if (!input.isBlank()) {
        boolean half = Character.isHighSurrogate(input.charAt(input.length() - 1));
        invalidInputs.put(index, half ? input.substring(0, input.length() - 1) + '\uFFFD' : input);
      }
    }
    deltas.add("{\"type\":\"input_json_delta\",\"partial_json\":\"\"}");
    for (String piece : pieces(input)) {
      deltas.add("{\"type\":\"input_json_delta\",\"partial_json\":" + piece + "}");
    }
    return "{\"type\":" + head + ",\"input\":{},\"caller\":{\"type\":\"direct\"}}";
  }

  private String object(int depth) {
    StringBuilder json = new StringBuilder("{");
    int members = random.nextInt(4);
    for (int i = 0; i < members; i++) {
      json.append(i == 0 ? "" : ",").append(pick("", " ", "\n  ", "\r\n\t"));
      json.append(quote("k" + i + text(1))).append(pick(":", ": ")).append(value(depth - 1));
    }
    return json.append(pick("", " ", "\n")).append('}').toString();
  }

  private String value(int depth) {
    return switch (random.nextInt(depth > 0 ? 8 : 6)) {
      case 0, 1 -> quote(text(3));
      case 2 -> String.valueOf(random.nextInt());
      case 3 -> pick("0.5", "-12.25", "1e3", "9007199254740993");
      case 4 -> pick("true", "false");
      case 5 -> "null";
      case 6 -> object(depth);
      default -> "[" + value(depth - 1) + pick(",", ", ", ",\n") + value(depth - 1) + "]";
    };
  }

  private String text(int maxPieces) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(maxPieces + 1); i > 0; i--) {
      text.append(pick(PIECES));
    }
    return text.toString();
  }

  /** Cuts a text anywhere, also in surrogate pairs; each piece as a JSON string. */
  private List<String> pieces(String text) {
    List<String> pieces = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int to = Math.min(text.length(), from + 1 + random.nextInt(maybe() ? 4 : 24));
      pieces.add(quote(text.substring(from, to)));
      from = to;
    }
    return pieces;
  }

  /** A JSON string in which what need not be escaped sometimes is. */
  private String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    boolean escapeAll = random.nextInt(4) == 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair && !escapeAll) {
        json.append(c).append(text.charAt(++i));
      } else if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c == '\n') {
        json.append("\\n");
      } else if (c < ' ' || Character.isSurrogate(c) || (escapeAll && c > '~')) {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
