package dev.headrace.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The events of a message between {@code message_start} and {@code message_delta}: rendered once
 * per answer and shared by all streams of it, unless there are ids in them, which must be new in
 * each stream. Immutable.
 */
final class BlockEvents {
  private static final String SIGNATURE = "EqQBCgIYAhIMx3mZ0eYk9nU1JqV2GgxwQ29uZmx1ZW5jZSIwR0pT";

  private final List<Step> steps;
  private final int deltas;
  private final long characters;
  private final long thinkingCharacters;
  private final int webSearches;
  private final boolean callsTool;
  private final boolean hasIds;

  private BlockEvents(Renderer renderer) {
    this.steps = List.copyOf(renderer.steps);
    this.deltas = renderer.deltas;
    this.characters = renderer.characters;
    this.thinkingCharacters = renderer.thinkingCharacters;
    this.webSearches = renderer.webSearches;
    this.callsTool = renderer.callsTool;
    this.hasIds = renderer.hasIds;
  }

  static BlockEvents render(AnswerSpec spec, SplittableRandom ids) {
    Renderer renderer = new Renderer(spec, ids);
    renderer.all();
    return new BlockEvents(renderer);
  }

  List<Step> steps() {
    return steps;
  }

  int deltas() {
    return deltas;
  }

  /** A plausible count of output tokens: about four characters each. */
  long outputTokens() {
    return Math.max(1, (characters + thinkingCharacters + 3) / 4);
  }

  long thinkingTokens() {
    return (thinkingCharacters + 3) / 4;
  }

  int webSearches() {
    return webSearches;
  }

  boolean callsTool() {
    return callsTool;
  }

  boolean hasIds() {
    return hasIds;
  }

  private static final class Renderer {
    private final AnswerSpec spec;
    private final SplittableRandom ids;
    private final List<Step> steps = new ArrayList<>();
    private int index = -1;
    private boolean textOpen;
    private boolean pinged;
    private int deltas;
    private long characters;
    private long thinkingCharacters;
    private int webSearches;
    private boolean callsTool;
    private boolean hasIds;

    Renderer(AnswerSpec spec, SplittableRandom ids) {
      this.spec = spec;
      this.ids = ids;
    }

    void all() {
      if (spec.unknownThings) {
        unknownThings();
      }
      for (AnswerPart part : spec.parts) {
        render(part);
      }
      if (spec.refused && index < 0) {
        openText("");
      }
      closeText();
    }

    private void render(AnswerPart part) {
      if (part instanceof AnswerPart.Text text) {
        for (String delta : pieces(text.deltas())) {
          textDelta(delta);
        }
      } else if (part instanceof AnswerPart.CitedText cited) {
        citedText(cited);
      } else if (part instanceof AnswerPart.Thinking thinking) {
        thinking(thinking);
      } else if (part instanceof AnswerPart.RedactedThinking redacted) {
        start("{\"type\":\"redacted_thinking\",\"data\":" + Json.quote(redacted.data()) + "}");
        stop();
      } else if (part instanceof AnswerPart.Tool tool) {
        tool(tool);
      } else if (part instanceof AnswerPart.WebSearch search) {
        webSearch(search);
      } else if (part instanceof AnswerPart.Block block) {
        start(block.json());
        stop();
      } else if (part instanceof AnswerPart.Pause pause) {
        steps.add(new Step.Wait(pause.nanos()));
      } else if (part instanceof AnswerPart.LargeDelta large) {
        textDelta("large ".repeat(large.bytes() / 6 + 1).substring(0, large.bytes()));
      } else if (part instanceof AnswerPart.Flood flood) {
        openText("");
        WireEvent event = WireEvent.textDelta(index, "more and ".repeat(900));
        steps.add(new Step.Flood(event, flood.bytes()));
        characters += flood.bytes();
      }
    }

    private void textDelta(String text) {
      openText("");
      steps.add(new Step.Send(WireEvent.textDelta(index, text)));
      deltas++;
      characters += text.length();
    }

    private void citedText(AnswerPart.CitedText cited) {
      closeText();
      openText("\"citations\":[],");
      SearchResult source = cited.source();
      delta(
          "{\"type\":\"citations_delta\",\"citation\":{\"type\":\"web_search_result_location\",\"cited_text\":"
              + Json.quote(source.citedText())
              + ",\"url\":"
              + Json.quote(source.url())
              + ",\"title\":"
              + Json.quote(source.title())
              + ",\"encrypted_index\":\"Eo8BCioIAhgBIiQy\"}}");
      for (String piece : pieces(List.of(cited.text()))) {
        textDelta(piece);
      }
      closeText();
    }

    private void thinking(AnswerPart.Thinking thinking) {
      start("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
      for (String piece : pieces(thinking.deltas())) {
        delta("{\"type\":\"thinking_delta\",\"thinking\":" + Json.quote(piece) + "}");
        thinkingCharacters += piece.length();
      }
      delta("{\"type\":\"signature_delta\",\"signature\":\"" + SIGNATURE + "\"}");
      stop();
    }

    private void tool(AnswerPart.Tool tool) {
      callsTool = true;
      start(
          "{\"type\":\"tool_use\",\"id\":\""
              + newId("toolu_01")
              + "\",\"name\":"
              + Json.quote(tool.name())
              + ",\"input\":{},\"caller\":{\"type\":\"direct\"}}");
      inputPieces(tool.jsonPieces());
      stop();
    }

    private void webSearch(AnswerPart.WebSearch search) {
      webSearches++;
      String id = newId("srvtoolu_01");
      start(
          "{\"type\":\"server_tool_use\",\"id\":\""
              + id
              + "\",\"name\":\"web_search\",\"input\":{},\"caller\":{\"type\":\"direct\"}}");
      inputPieces(List.of("{\"query\": " + Json.quote(search.query()) + "}"));
      stop();
      StringBuilder results = new StringBuilder();
      for (SearchResult result : search.results()) {
        results
            .append(results.isEmpty() ? "" : ",")
            .append("{\"type\":\"web_search_result\",\"title\":")
            .append(Json.quote(result.title()))
            .append(",\"url\":")
            .append(Json.quote(result.url()))
            .append(
                ",\"encrypted_content\":\"EqgfCioIARgBIiQ3YTAwMjY1\",\"page_age\":\"1 day ago\"}");
      }
      start(
          "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\""
              + id
              + "\",\"content\":["
              + results
              + "],\"caller\":{\"type\":\"direct\"}}");
      stop();
    }

    // The first piece is always empty, also without arguments: the Java SDK fails without any.
    private void inputPieces(List<String> pieces) {
      delta("{\"type\":\"input_json_delta\",\"partial_json\":\"\"}");
      for (String piece : pieces) {
        delta("{\"type\":\"input_json_delta\",\"partial_json\":" + Json.quote(piece) + "}");
        characters += piece.length();
      }
    }

    private String newId(String prefix) {
      hasIds = true;
      return Ids.next(prefix, ids);
    }

    private void unknownThings() {
      send("session_hint", "{\"type\":\"session_hint\",\"hint\":{\"of\":\"a later version\"}}");
      start("{\"type\":\"hologram\",\"seed\":7}");
      delta("{\"type\":\"hologram_delta\",\"layers\":[1,2]}");
      stop();
    }

    private List<String> pieces(List<String> deltas) {
      return spec.tokenwise
          ? deltas.stream().flatMap(each -> TextPieces.tokens(each).stream()).toList()
          : deltas;
    }

    private void openText(String fields) {
      if (!textOpen) {
        start("{" + fields + "\"type\":\"text\",\"text\":\"\"}");
        textOpen = true;
      }
    }

    private void closeText() {
      if (textOpen) {
        textOpen = false;
        stop();
      }
    }

    private void start(String block) {
      closeText();
      index++;
      send(
          "content_block_start",
          "{\"type\":\"content_block_start\",\"index\":"
              + index
              + ",\"content_block\":"
              + block
              + "}");
      if (!pinged) {
        pinged = true;
        steps.add(new Step.Send(WireEvent.PING));
      }
    }

    private void delta(String delta) {
      deltas++;
      send(
          "content_block_delta",
          "{\"type\":\"content_block_delta\",\"index\":" + index + ",\"delta\":" + delta + "}");
    }

    private void stop() {
      send("content_block_stop", "{\"type\":\"content_block_stop\",\"index\":" + index + "}");
    }

    private void send(String name, String json) {
      steps.add(new Step.Send(WireEvent.of(name, json, null)));
    }
  }
}
