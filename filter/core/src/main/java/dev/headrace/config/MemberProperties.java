package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewaySettings.Member;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** What one of {@code upstream.members} consists of. */
final class MemberProperties {
  static final Property<Member, String> NAME =
      new Property<>(
          "name",
          SettingType.NAME,
          null,
          Range.any(),
          Member::name,
          "What logs and metrics call the member. Without it, member-1 for the first in the list,"
              + " member-2 for the second and so on.");

  static final Property<Member, URI> BASE_URL =
      new Property<>(
          "base-url",
          SettingType.URL,
          null,
          Range.baseUrl(),
          Member::baseUrl,
          "As upstream.base-url, which is used without it.");

  static final Property<Member, Secret> API_KEY =
      new Property<>(
          "api-key",
          SettingType.SECRET,
          null,
          Range.apiKey(),
          Member::apiKey,
          "The API key for this member. Without it and api-key-file, the key of upstream is used.");

  static final Property<Member, Path> API_KEY_FILE =
      new Property<>(
          "api-key-file",
          SettingType.FILE,
          null,
          Range.any(),
          Member::apiKeyFile,
          "File that contains the API key for this member, as upstream.api-key-file.");

  static final Property<Member, Integer> WEIGHT =
      new Property<>(
          "weight",
          SettingType.INTEGER,
          "1",
          Range.between(1, 1_000),
          Member::weight,
          "Share of the attempts that this member gets with upstream.selection: weighted.");

  static final RecordType<Member> MEMBER =
      new RecordType<>(
              "member",
              values ->
                  new Member(
                      values.get(NAME, "member-" + values.place()),
                      values.get(BASE_URL),
                      values.get(API_KEY),
                      values.get(API_KEY_FILE),
                      requireNonNull(values.get(WEIGHT))),
              List.of(NAME, BASE_URL, API_KEY, API_KEY_FILE, WEIGHT))
          .atMostOneOf(API_KEY, API_KEY_FILE);

  private MemberProperties() {}
}
