package dev.headrace.simulator;

import java.util.Optional;
import java.util.function.Function;

/** Finds the answer to any request: endpoint, checks, then the script. Thread-safe. */
final class RequestRouter implements Function<SeenRequest, Answer> {
  private final SimulatorSettings settings;
  private final AnswerScript script;

  RequestRouter(SimulatorSettings settings, AnswerScript script) {
    this.settings = settings;
    this.script = script;
  }

  @Override
  public Answer apply(SeenRequest request) {
    String path = request.path();
    boolean probe = path.equals("/api/hello"); // comes without a key
    RequestChecks checks = new RequestChecks(settings, request);
    Optional<Answer> refusal =
        settings.validation() && !probe ? checks.headers() : Optional.empty();
    if (refusal.isPresent()) {
      return refusal.get();
    }
    Optional<Answer> scripted = script.forPath(request);
    if (scripted.isPresent()) {
      checks.message(false); // a message must know whether it is wanted as a stream
      return scripted.get();
    }
    if (probe) {
      return Answer.json(200, "{\"message\":\"hello\"}");
    }
    if (path.equals("/v1/messages")) {
      return posted(request, checks.message(settings.validation()), () -> message(request));
    }
    if (path.equals("/v1/messages/count_tokens")) {
      return posted(
          request,
          checks.countTokens(settings.validation()),
          () -> Answer.json(200, "{\"input_tokens\":" + TokenEstimate.ofBody(request) + "}"));
    }
    if (path.equals("/v1/models") || path.startsWith("/v1/models/")) {
      return Models.answer(request);
    }
    return Answer.error(404, "not_found_error", "Not found");
  }

  private static Answer posted(
      SeenRequest request, Optional<Answer> refusal, java.util.function.Supplier<Answer> answer) {
    if (!request.method().equals("POST")) {
      return Answer.error(405, "invalid_request_error", "Method Not Allowed")
          .header("Allow", "POST");
    }
    return refusal.orElseGet(answer);
  }

  private Answer message(SeenRequest request) {
    Answer answer = script.next(request);
    // Cache pre-warming: nothing is generated (API reference, "Special cases").
    return request.prewarms() && answer.spec().kind == AnswerSpec.Kind.MESSAGE
        ? answer.withoutContent(Usage.of(1, 0).withCache(0, TokenEstimate.ofBody(request), 0))
        : answer;
  }
}
