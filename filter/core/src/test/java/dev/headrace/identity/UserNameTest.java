package dev.headrace.identity;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.IpAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UserNameTest {

  @Test
  void ordinaryNamesStayAsTheyAre() {
    for (String name :
        List.of("alice", "Müller, Jörg", "CN=Alice,O=Acme", "a@b.example", "李", "x".repeat(200))) {
      assertThat(UserName.ofApplication(name)).isEqualTo(name);
    }
  }

  @Test
  void aLogLineCannotBeForged() {
    assertThat(UserName.ofApplication("al\r\nice\u202e")).startsWith("al??ice?~").hasSize(41);
  }

  /** No-break, figure, narrow no-break and ideographic spaces, and an ordinary one. */
  @ParameterizedTest
  @ValueSource(strings = {"\u00a0", "\u2007", "\u202f", "\u3000", " "})
  void aNameWithABlankAtAnEndDoesNotLookLikeTheOneWithout(String blank) {
    for (String name : List.of("alice" + blank, blank + "alice", blank + blank + "alice" + blank)) {
      assertThat(UserName.ofApplication(name)).matches("alice~[0-9a-f]{32}");
    }
  }

  @Test
  void brokenSurrogatesDoNotMakeTwoUsersOne() {
    assertThat(UserName.ofApplication("a\ud800")).isNotEqualTo(UserName.ofApplication("a\udc00"));
  }

  @Test
  void nobodyCanTakeTheNameOfAKeyOrAnAddress() {
    assertThat(UserName.ofApplication("key:ci")).isEqualTo("user:key:ci");
    assertThat(UserName.ofApplication("KEY:ci")).isEqualTo("user:KEY:ci");
    assertThat(UserName.ofApplication("address:10.0.0.1")).isEqualTo("user:address:10.0.0.1");
    assertThat(UserName.ofApplication("user:key:ci")).isEqualTo("user:user:key:ci");
    assertThat(UserName.ofKey("ci")).isEqualTo("key:ci");
  }

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, address:192.0.2.1",
    "::ffff:192.0.2.1, address:192.0.2.1",
    "2001:db8:1:2:3:4:5:6, address:2001:db8:1:2::/64",
    "2001:db8:1:2::ffff, address:2001:db8:1:2::/64",
  })
  void anAddressIsAUser(String address, String user) {
    assertThat(UserName.ofAddress(requireNonNull(IpAddress.parse(address)))).isEqualTo(user);
  }

  @Property(tries = 5000)
  void namesAreShortAndVisibleAndDifferentOnesStayDifferent(@ForAll("names") List<String> names) {
    Map<String, String> made = new HashMap<>();
    for (String name : names) {
      if (name.isBlank()) {
        continue;
      }
      String user = UserName.ofApplication(name);
      assertThat(user).hasSizeBetween(1, UserName.MAX_LENGTH).isEqualTo(user.strip());
      assertThat(user.codePoints())
          .noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT);
      String before = made.put(user, name);
      assertThat(before == null || before.equals(name)).isTrue();
      if (!name.endsWith("\n")) { // a mended name is itself a name, and another one
        assertThat(UserName.ofApplication(UserName.ofApplication(name + "\n")))
            .isNotEqualTo(UserName.ofApplication(name + "\n"));
      }
    }
  }

  @Provide
  Arbitrary<List<String>> names() {
    return Arbitraries.oneOf(
            Arbitraries.strings().withChars("a \n\u200b\u0085").ofMaxLength(6),
            Arbitraries.strings().withChars("ab").ofMinLength(195).ofMaxLength(205),
            Arbitraries.strings().ofMaxLength(250))
        .list()
        .ofMaxSize(12);
  }
}
