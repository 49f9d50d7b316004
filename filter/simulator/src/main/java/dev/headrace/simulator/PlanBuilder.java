package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Turns an {@link Answer} into the {@link Plan} for one request. One instance per request. */
final class PlanBuilder {
  // Never the true count: a client must not bill from message_start (API reference,
  // "message_start").
  private static final int PLACEHOLDER_OUTPUT = 1;
  // What a web search adds to the input when its result is fed back (API reference,
  // "message_delta").
  private static final int INPUT_PER_SEARCH = 7565;
  private static final long LONGEST_JSON_FLOOD = 16L << 20;

  private final Answer answer;
  private final AnswerSpec spec;
  private final SeenRequest request;
  private final SimulatorSettings settings;
  private final SplittableRandom random;
  private @Nullable BlockEvents blocks;

  PlanBuilder(Answer answer, SeenRequest request, SimulatorSettings settings) {
    this.answer = answer;
    this.spec = answer.spec();
    this.request = request;
    this.settings = settings;
    this.random = new SplittableRandom(request.answerSeed());
  }

  Plan build() {
    return switch (spec.kind) {
      case RAW_HTTP ->
          plan(spec.status, spec.body, Plan.Framing.UNTIL_CLOSE, List.<Step>of().iterator(), 0, 0);
      case BODY -> whole(spec.status, spec.contentType, spec.body, null, false);
      case ERROR -> error(spec.status, spec.errorType, message(), spec.errorCode);
      case MESSAGE, EVENTS -> request.streaming() ? stream() : json();
    };
  }

  // Once per request: rendered anew, the content would have other ids.
  private BlockEvents blocks() {
    BlockEvents rendered = blocks;
    if (rendered == null) {
      rendered = answer.blocks(random);
      blocks = rendered;
    }
    return rendered;
  }

  private String message() {
    return spec.errorMessage == null ? "" : spec.errorMessage;
  }

  // ---- Events ---------------------------------------------------------------------------------

  private Plan stream() {
    boolean gzip = gzips();
    ResponseHead head = new ResponseHead().add("Content-Type", "text/event-stream; charset=utf-8");
    head.add("Cache-Control", "no-cache");
    if (gzip && spec.compression != AnswerSpec.Compression.HIDDEN) {
      head.add("Content-Encoding", "gzip");
    }
    head.add("Transfer-Encoding", "chunked");
    head.add("Connection", spec.connectionClose ? "close" : "keep-alive");
    if (settings.rateLimitHeaders()) {
      head.addRateLimits();
    }
    head.addUsual(request.requestId()).scripted(spec);
    return new Plan(
        200,
        head.bytes(200),
        Plan.Framing.CHUNKED,
        steps(),
        0,
        spec,
        pace(),
        beforeHead(),
        gzip,
        spec.connectionClose,
        request.method().equals("HEAD"),
        settings.padding() ? random.split() : null,
        random.split(),
        settings.pingIntervalNanos());
  }

  private Iterator<Step> steps() {
    List<Step> first = firstSteps();
    List<Step> middle = middleSteps();
    List<Step> last = lastSteps();
    if (!faultsCountEvents()) {
      return new JoinedLists<>(first, middle, last);
    }
    List<Step> all = new ArrayList<>(first.size() + middle.size() + last.size());
    all.addAll(first);
    all.addAll(middle);
    all.addAll(last);
    return withFaults(all).iterator();
  }

  private List<Step> firstSteps() {
    return spec.kind == AnswerSpec.Kind.EVENTS ? List.of() : List.of(messageStart());
  }

  private List<Step> middleSteps() {
    if (spec.kind == AnswerSpec.Kind.MESSAGE) {
      return blocks().steps();
    }
    List<Step> steps = new ArrayList<>(spec.rawEvents.size());
    for (WireEvent event : spec.rawEvents) {
      steps.add(new Step.Send(event));
    }
    return steps;
  }

  private List<Step> lastSteps() {
    return spec.kind == AnswerSpec.Kind.EVENTS
        ? List.of()
        : List.of(
            messageDelta(),
            new Step.Send(WireEvent.of("message_stop", "{\"type\":\"message_stop\"}", null)));
  }

  private boolean faultsCountEvents() {
    return spec.errorAfterEvents >= 0
        || spec.endAfterEvents >= 0
        || spec.stallAfterEvents >= 0
        || !spec.pauseAfterEvent.isEmpty();
  }

  private List<Step> withFaults(List<Step> script) {
    List<Step> steps = new ArrayList<>(script.size() + 4);
    int events = 0;
    if (endsHere(steps, events)) {
      return steps;
    }
    for (Step step : script) {
      steps.add(step);
      if (step instanceof Step.Wait) {
        continue;
      }
      events++;
      if (endsHere(steps, events)) {
        return steps;
      }
    }
    return steps;
  }

  private boolean endsHere(List<Step> steps, int events) {
    Long pause = spec.pauseAfterEvent.get(events);
    if (pause != null) {
      steps.add(new Step.Wait(pause));
    }
    if (events == spec.errorAfterEvents) {
      String json =
          ErrorType.json(
              spec.streamErrorType,
              ErrorType.ofType(spec.streamErrorType).message,
              null,
              request.requestId());
      steps.add(new Step.Send(WireEvent.of("error", json, null)));
      steps.add(new Step.End(AnswerSpec.Ending.CLEAN));
      return true;
    }
    if (events == spec.stallAfterEvents) {
      steps.add(new Step.Stall(spec.stallPingNanos));
      return true;
    }
    if (events == spec.endAfterEvents) {
      steps.add(new Step.End(spec.endAs));
      return true;
    }
    return false;
  }

  private Step messageStart() {
    Usage usage = usageAtStart();
    String json =
        "{\"type\":\"message_start\",\"message\":{\"model\":"
            + Json.quote(spec.model == null ? request.model() : spec.model)
            + ",\"id\":\""
            + Ids.next("msg_01", random)
            + "\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null,\"usage\":"
            + UsageJson.full(usage, unknownUsage())
            + "}}";
    return new Step.Send(WireEvent.of("message_start", json, usage));
  }

  private Step messageDelta() {
    Usage usage = usage();
    String details =
        spec.refused
            ? "{\"type\":\"refusal\",\"category\":"
                + Json.quoteOrNull(spec.refusalCategory)
                + ",\"explanation\":\"This request was declined for safety reasons.\"}"
            : "null";
    String json =
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
            + Json.quote(stopReason())
            + ",\"stop_sequence\":"
            + Json.quoteOrNull(spec.stopSequence)
            + ",\"stop_details\":"
            + details
            + ",\"container\":null},\"usage\":"
            + UsageJson.totals(usage, unknownUsage())
            + "}";
    return new Step.Send(WireEvent.of("message_delta", json, usage));
  }

  private String unknownUsage() {
    return spec.unknownThings ? ",\"crystal_tokens\":7,\"holograms\":{\"layers\":2}" : "";
  }

  private String stopReason() {
    if (spec.stopReason != null) {
      return spec.stopReason;
    }
    return blocks().callsTool() ? "tool_use" : "end_turn";
  }

  private Usage usage() {
    if (spec.usage != null) {
      return spec.usage;
    }
    BlockEvents content = blocks();
    return Usage.of(
            TokenEstimate.ofBody(request) + (long) INPUT_PER_SEARCH * content.webSearches(),
            content.outputTokens())
        .withThinking(content.thinkingTokens())
        .withWebSearches(content.webSearches());
  }

  private Usage usageAtStart() {
    if (spec.usageAtStart != null) {
      return spec.usageAtStart;
    }
    Usage totals = usage();
    Usage start = totals.withOutput(PLACEHOLDER_OUTPUT).withThinking(0).withWebSearches(0);
    return spec.usage == null
        ? start.withInput(totals.inputTokens() - (long) INPUT_PER_SEARCH * blocks().webSearches())
        : start;
  }

  // ---- JSON -----------------------------------------------------------------------------------

  private Plan json() {
    List<Step> script = new ArrayList<>();
    script.addAll(firstSteps());
    script.addAll(middleSteps());
    script.addAll(lastSteps());
    long silence = 0;
    if (spec.errorAfterEvents >= 0) {
      script = withFaults(script); // pauses included
    } else {
      for (long pause : spec.pauseAfterEvent.values()) {
        silence += pause;
      }
    }
    List<WireEvent> events = new ArrayList<>();
    int deltas = 0;
    for (Step step : script) {
      if (step instanceof Step.Send send) {
        events.add(send.event());
        deltas += send.event().isDelta() ? 1 : 0;
      } else if (step instanceof Step.Flood flood) {
        int length = (int) Math.min(flood.bytes(), LONGEST_JSON_FLOOD);
        events.add(WireEvent.textDelta(indexOf(flood.event()), "more and ".repeat(length / 9 + 1)));
      } else if (step instanceof Step.Wait wait) {
        silence += wait.nanos();
      }
    }
    long written = silence + deltas * pace().gapNanos();
    String scripted = MessageAssembler.errorType(events);
    if (scripted != null) {
      ErrorType type = ErrorType.ofType(scripted);
      return error(type.status, scripted, type.message, null).after(written);
    }
    JsonNode message = MessageAssembler.assemble(events);
    Usage usage = Usage.NONE;
    for (WireEvent event : events) {
      Usage known = event.usage();
      usage = known == null ? usage : known;
    }
    byte[] body = (message == null ? "{}" : message.toString()).getBytes(UTF_8);
    return whole(200, "application/json", body, usage, true).after(written);
  }

  private static int indexOf(WireEvent event) {
    JsonNode json = event.json();
    return json == null ? 0 : json.path("index").asInt(0);
  }

  private Plan error(int status, String type, String message, @Nullable String code) {
    String json = ErrorType.json(type, message, code, request.requestId());
    return whole(status, "application/json", json.getBytes(UTF_8), null, false);
  }

  private Plan whole(
      int status, String contentType, byte[] body, @Nullable Usage usage, boolean generated) {
    boolean gzip = generated && gzips();
    byte[] encoded = gzip ? GzipBody.whole(body) : body;
    ResponseHead head = new ResponseHead().add("Content-Type", contentType);
    if (gzip && spec.compression != AnswerSpec.Compression.HIDDEN) {
      head.add("Content-Encoding", "gzip");
    }
    head.add("Content-Length", Integer.toString(encoded.length));
    head.add("Connection", spec.connectionClose ? "close" : "keep-alive");
    if (settings.rateLimitHeaders() && spec.kind != AnswerSpec.Kind.BODY) {
      head.addRateLimits();
    }
    head.addUsual(request.requestId());
    if (status == 400) {
      head.add("x-should-retry", "false");
    }
    head.scripted(spec);
    return plan(
        status,
        head.bytes(status),
        Plan.Framing.LENGTH,
        bodySteps(encoded, usage).iterator(),
        encoded.length,
        generated ? beforeHead() : Math.max(0, spec.beforeHeadNanos));
  }

  private List<Step> bodySteps(byte[] body, @Nullable Usage usage) {
    boolean stalls = spec.stallAfterEvents >= 0;
    boolean ends = spec.endAfterEvents >= 0;
    if (!stalls && !ends) {
      return body.length == 0 ? List.of() : List.of(new Step.SendBody(body, usage));
    }
    byte[] half = java.util.Arrays.copyOf(body, body.length / 2);
    // Half of a body with a length cannot end cleanly, so that "clean" is a plain close.
    AnswerSpec.Ending ending =
        spec.endAs == AnswerSpec.Ending.CLEAN ? AnswerSpec.Ending.CUT : spec.endAs;
    return List.of(
        new Step.SendBody(half, null), stalls ? new Step.Stall(-1) : new Step.End(ending));
  }

  // ---- Both -----------------------------------------------------------------------------------

  private Plan plan(
      int status,
      byte[] head,
      Plan.Framing framing,
      Iterator<Step> steps,
      int bodyBytes,
      long beforeHead) {
    return new Plan(
        status,
        head,
        framing,
        steps,
        bodyBytes,
        spec,
        TokenPace.FULL_SPEED,
        beforeHead,
        false,
        spec.connectionClose,
        request.method().equals("HEAD"),
        null,
        random.split(),
        settings.pingIntervalNanos());
  }

  private TokenPace pace() {
    return spec.pace == null ? settings.pace() : spec.pace;
  }

  private long beforeHead() {
    return spec.beforeHeadNanos >= 0 ? spec.beforeHeadNanos : settings.firstTokenDelayNanos();
  }

  private boolean gzips() {
    return switch (spec.compression) {
      case FORCED, HIDDEN -> true;
      case OFF -> false;
      case IF_ACCEPTED -> settings.gzip() && acceptsGzip();
    };
  }

  private boolean acceptsGzip() {
    for (String value : request.headers().getOrDefault("accept-encoding", List.of())) {
      for (String coding : value.toLowerCase(Locale.ROOT).split(",", -1)) {
        String trimmed = coding.strip().replace(" ", "");
        if (trimmed.startsWith("gzip") && !trimmed.matches("gzip;q=0(\\.0*)?")) {
          return true;
        }
      }
    }
    return false;
  }
}
