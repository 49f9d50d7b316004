package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.headrace.admission.RequestPolicy.AboveCap;
import dev.headrace.admission.RequestPolicy.Rule;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.RequestHead;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestPolicyTest {

  private static RequestPolicy.Builder staff() {
    return RequestPolicy.of("plans.staff");
  }

  private static String admitted(RequestPolicy policy, String body, String... betas)
      throws Exception {
    byte[] bytes = body.getBytes(UTF_8);
    UpstreamBody upstream = policy.admit(bytes, bytes.length, List.of(betas));
    assertThat(upstream.head()).isEqualTo(RequestHead.read(upstream.bytes(), upstream.length()));
    return new String(upstream.bytes(), 0, upstream.length(), UTF_8);
  }

  private static ApiError refusal(RequestPolicy policy, String body, String... betas) {
    byte[] bytes = body.getBytes(UTF_8);
    RefusedException e =
        catchThrowableOfType(
            RefusedException.class, () -> policy.admit(bytes, bytes.length, List.of(betas)));
    assertThat(e).as(body).isNotNull();
    assertThat(e.getStackTrace()).isEmpty();
    ApiError error = e.error();
    assertThat(error.message()).isEqualTo(e.getMessage()).matches("[ -~]+").doesNotContain("Hello");
    assertThat(error.type()).isEqualTo(ApiError.typeOf(error.status()));
    return error;
  }

  private static RequestPolicy everythingRefused() {
    return staff()
        .models(List.of("claude-sonnet-5-5", "fast"))
        .aliases(Map.of("fast", "claude-haiku-5"))
        .maxTokens(4096, AboveCap.REFUSE)
        .maxBodyBytes(2000)
        .betas(List.of("allowed-2026-01-01"))
        .tools(Rule.REFUSED)
        .serverTools(Rule.REFUSED)
        .fastMode(Rule.REFUSED)
        .serviceTier(Rule.REFUSED)
        .inferenceGeo(Rule.REFUSED)
        .workspaces(Rule.REFUSED)
        .build();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "\"model\":\"claude-opus-5-5\"|403|model: \"claude-opus-5-5\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"mod\\u0065l\":\"claude-opus-5-5\"|403|model: \"claude-opus-5-5\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"claude-haiku-5\"|403|model: \"claude-haiku-5\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"FAST\"|403|model: \"FAST\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"fast \"|403|model: \"fast \" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"f\\u0430st\\n\\\"\"|403|model: \"f?st??\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"\"|403|model: \"\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"fast\",\"fallbacks\":[{\"model\":\"claude-opus-5-5\"}]|403|fallbacks: not allowed, because this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"model\":\"fast\",\"max_tokens\":4097|400|max_tokens: 4097 is more than the 4096 of this plan (plans.staff.max-tokens)",
        "\"max_tokens\":9223372036854775807|400|max_tokens: 9223372036854775807 is more than the 4096 of this plan (plans.staff.max-tokens)",
        "\"tools\":[{\"name\":\"a\"}]|403|tools: this plan may not use tools (plans.staff.tools)",
        "\"tools\":[{\"type\":\"advisor_20260301\",\"model\":\"claude-opus-5-5\"}]|403|tools: \"model\": \"claude-opus-5-5\" is not allowed; this plan may use claude-sonnet-5-5, fast (plans.staff.models)",
        "\"tools\":[1]|403|tools: this plan may not use tools (plans.staff.tools)",
        "\"mcp_servers\":[{\"url\":\"https://mcp.example\"}]|403|mcp_servers: this plan may not use tools that the API runs (plans.staff.server-tools)",
        "\"container\":\"c\"|403|container: this plan may not use tools that the API runs (plans.staff.server-tools)",
        "\"speed\":\"fast\"|403|speed: \"fast\" is not allowed; this plan may use standard (plans.staff.fast-mode)",
        "\"speed\":{\"is\":\"fast\"}|403|speed: this value is not allowed; this plan may use standard (plans.staff.fast-mode)",
        "\"service_tier\":\"auto\"|403|service_tier: \"auto\" is not allowed; this plan may use standard_only (plans.staff.service-tier)",
        "\"inference_geo\":\"us\"|403|inference_geo: \"us\" is not allowed; this plan may use global (plans.staff.inference-geo)",
      })
  void namesTheRuleAndItsSetting(String fields, int status, String message) {
    ApiError error =
        refusal(
            everythingRefused(),
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]," + fields + "}");
    assertThat(error.message()).isEqualTo(message);
    assertThat(error.status()).isEqualTo(status);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":4096}",
        "{\"model\":\"claude-sonnet\\u002d5-5\",\"max_tokens\":-1}",
        "{\"tools\":null,\"mcp_servers\":null,\"container\":null,\"fallbacks\":null,\"speed\":null,\"service_tier\":null,\"inference_geo\":null}",
        "{\"tools\":[],\"speed\":\"standard\",\"service_tier\":\"standard_only\",\"inference_geo\":\"global\"}",
        "{\"messages\":[{\"role\":\"system\",\"content\":[{\"model\":\"claude-opus-5-5\",\"tools\":[1]}]}], \"unknown\" : 1e9 }",
      })
  void leavesWhatIsAllowedAsItIs(String body) throws Exception {
    assertThat(admitted(everythingRefused(), body)).isEqualTo(body);
  }

  @Test
  void forwardsTheVeryArrayWhenNothingIsChanged() throws Exception {
    byte[] bytes = "{\"model\":\"m\"}garbage".getBytes(UTF_8);
    assertThat(staff().build().admit(bytes, 13, List.of()).bytes()).isSameAs(bytes);
  }

  @Test
  void refusesServerToolsAndTakesTheClientsOwn() throws Exception {
    RequestPolicy policy = staff().serverTools(Rule.REFUSED).build();
    String own = "{\"tools\":[{\"name\":\"a\"},{\"type\":\"custom\",\"name\":\"b\"}]}";
    assertThat(admitted(policy, own)).isEqualTo(own);
    ApiError error =
        refusal(
            policy,
            "{\"tools\":[{\"name\":\"a\"},{\"type\":\"web_search_20250305\",\"name\":\"w\"}]}");
    assertThat(error.status()).isEqualTo(403);
    assertThat(error.message())
        .isEqualTo(
            "tools[1].type: \"web_search_20250305\" is not allowed; this plan may use tools of the"
                + " client only (plans.staff.server-tools)");
  }

  @Test
  void refusesServerToolsTogetherWithTools() {
    RequestPolicy policy = staff().tools(Rule.REFUSED).build();
    assertThat(refusal(policy, "{\"mcp_servers\":[]}").message()).endsWith("(plans.staff.tools)");
  }

  @Test
  void checksEveryBetaOfEveryHeaderLine() throws Exception {
    RequestPolicy policy = staff().betas(List.of("a-1", "b-2")).build();
    assertThat(admitted(policy, "{}", "a-1", " b-2 ,\ta-1,, ", "")).isEqualTo("{}");
    for (List<String> lines :
        List.of(
            List.of("a-1", "c-3"), List.of("a-1,c-3"), List.of("a-1 ,\t c-3"), List.of(",,c-3,"))) {
      ApiError error = refusal(policy, "{}", lines.toArray(new String[0]));
      assertThat(error.status()).isEqualTo(403);
      assertThat(error.message())
          .startsWith("anthropic-beta: \"c-3\" is not allowed; this plan may use ")
          .endsWith(" (plans.staff.betas)");
    }
    for (String odd : List.of("A-1", "a-1;q=1", "\"a-1\"", "a-1 b-2", "a-1\u00A0")) {
      assertThat(refusal(policy, "{}", odd).message()).startsWith("anthropic-beta: ");
    }
    assertThat(refusal(staff().betas(List.of()).build(), "{}", "a-1").message())
        .isEqualTo(
            "anthropic-beta: \"a-1\" is not allowed; this plan may use none (plans.staff.betas)");
    assertThat(admitted(staff().betas(null).build(), "{}", "anything")).isEqualTo("{}");
  }

  @Test
  void refusesLargeBodiesAlsoByTheirDeclaredLength() throws Exception {
    RequestPolicy policy = staff().maxBodyBytes(20).build();
    assertThat(admitted(policy, "{\"model\":\"12345678\"}")).hasSize(20);
    ApiError error = refusal(policy, "{\"model\":\"123456789\"}");
    assertThat(error.status()).isEqualTo(413);
    assertThat(error.type()).isEqualTo("request_too_large");
    assertThat(error.message())
        .isEqualTo("body: larger than the 20 bytes of this plan (plans.staff.max-body)");
    policy.checkSize(-1);
    policy.checkSize(20);
    assertThatThrownBy(() -> policy.checkSize(21)).isInstanceOf(RefusedException.class);
  }

  @Test
  void refusesRawMessagesToWhoeverMayUsePresetsOnly() {
    RequestPolicy policy = staff().rawMessages(Rule.REFUSED).build();
    assertThatThrownBy(policy::checkRawMessages)
        .isInstanceOf(RefusedException.class)
        .hasMessage("this plan may use presets only (plans.staff.raw-messages)");
    assertThat(refusal(policy, "{}").status()).isEqualTo(403);
  }

  @Test
  void replacesAnAliasAndLowersMaxTokensAndNothingElse() throws Exception {
    RequestPolicy policy =
        staff()
            .aliases(Map.of("fast", "claude-haiku-5-20260901", "gr\u00FC\u00DF", "n\u00FC\"x"))
            .maxTokens(99, AboveCap.LOWER)
            .build();
    String before = "{ \"x\":\"fast\", \"max_tokens\" : 100000 ,\"\u20AC\":[ 1.50 ],\"model\" : ";
    assertThat(admitted(policy, before + "\"f\\u0061st\"\t}\n"))
        .isEqualTo(before.replace("100000", "99") + "\"claude-haiku-5-20260901\"\t}\n");
    assertThat(admitted(policy, "{\"model\":\"gr\u00FC\u00DF\",\"max_tokens\":1000}"))
        .isEqualTo("{\"model\":\"n\u00FC\\\"x\",\"max_tokens\":99}");
    assertThat(admitted(policy, "{\"max_tokens\":99}")).isEqualTo("{\"max_tokens\":99}");
    assertThat(admitted(policy, "{\"model\":\"fast\"}")).doesNotContain("max_tokens");
  }

  @Test
  void anAliasDoesNotLeadToAnother() throws Exception {
    RequestPolicy policy = staff().aliases(Map.of("a", "b", "b", "c")).build();
    assertThat(admitted(policy, "{\"model\":\"a\"}")).isEqualTo("{\"model\":\"b\"}");
  }

  @Test
  void shortensAndCountsLongListsAndNames() {
    List<String> many = IntStream.range(0, 25).mapToObj(i -> "model-" + i).toList();
    String message =
        refusal(staff().models(many).build(), "{\"model\":\"" + "x".repeat(200) + "\"}").message();
    assertThat(message)
        .startsWith(
            "model: \"" + "x".repeat(64) + "...\" is not allowed; this plan may use model-0, ")
        .endsWith("model-19 and 5 more (plans.staff.models)");
  }

  @Test
  void hostileBodiesAreRefusedBeforeAnyRule() {
    for (String body :
        List.of(
            "{\"model\":\"fast\",\"model\":\"claude-opus-5-5\"}",
            "{\"model\":\"fast\",\"mod\\u0065l\":\"claude-opus-5-5\"}",
            "{\"tools\":[{\"type\":\"custom\",\"type\":\"web_search\"}]}",
            "{\"a\":" + "[".repeat(500) + "]".repeat(500) + "}",
            "{\"a\":" + "9".repeat(500) + "}",
            "{\"tools\":{\"0\":{\"type\":\"web_search\"}}}",
            "[{\"model\":\"claude-opus-5-5\"}]",
            "\uFEFF{}",
            "{}{}")) {
      byte[] bytes = body.getBytes(UTF_8);
      assertThatThrownBy(() -> everythingRefused().admit(bytes, bytes.length, List.of()))
          .as(body)
          .isInstanceOf(InvalidBodyException.class)
          .hasMessageStartingWith("body: ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"anthropic-workspace-id", "anthropic-user-profile-id"})
  void whereSpendLandsMayBeTheOperatorsMatter(String header) throws Exception {
    staff().build().checkWorkspaces(header::equals);
    everythingRefused().checkWorkspaces(name -> false);
    RefusedException refused =
        catchThrowableOfType(
            RefusedException.class, () -> everythingRefused().checkWorkspaces(header::equals));
    assertThat(refused.error().status()).isEqualTo(403);
    assertThat(refused).hasMessage(header + ": this plan may not send it (plans.staff.workspaces)");
  }

  @Test
  void isOpenOnlyWithoutAnyRule() {
    assertThat(staff().aliases(Map.of("a", "b")).build().isOpen()).isTrue();
    for (RequestPolicy policy :
        List.of(
            staff().models(List.of("a")).build(),
            staff().maxTokens(1, AboveCap.LOWER).build(),
            staff().maxBodyBytes(1).build(),
            staff().betas(Collections.emptyList()).build(),
            staff().rawMessages(Rule.REFUSED).build(),
            staff().tools(Rule.REFUSED).build(),
            staff().serverTools(Rule.REFUSED).build(),
            staff().fastMode(Rule.REFUSED).build(),
            staff().serviceTier(Rule.REFUSED).build(),
            staff().inferenceGeo(Rule.REFUSED).build(),
            staff().workspaces(Rule.REFUSED).build())) {
      assertThat(policy.isOpen()).isFalse();
    }
    assertThat(everythingRefused().isOpen()).isFalse();
  }
}
