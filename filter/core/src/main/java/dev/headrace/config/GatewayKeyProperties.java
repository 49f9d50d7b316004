package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.RecordType.Values;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** What one of the {@code keys} of a key file consists of. */
final class GatewayKeyProperties {
  static final SettingType<AddressBlock> ADDRESS_BLOCK =
      new SettingType<>("address block", AddressBlock.EXPECTED) {
        @Override
        AddressBlock read(String text) throws BadValue {
          return AddressBlock.read(text);
        }

        @Override
        String print(AddressBlock value) {
          return Shown.quoted(value.toString());
        }
      };

  /** Never shown, because somebody may have written the key itself there. */
  static final SettingType<String> SHA256 =
      new SettingType<>(
          "sha256",
          "the SHA-256 of the key, 64 hexadecimal digits, as the command NewKey prints it") {
        private static final Pattern FORM = Pattern.compile("[0-9A-Fa-f]{64}");

        @Override
        String read(String text) throws BadValue {
          if (!FORM.matcher(text).matches()) {
            throw BadValue.expected(expected());
          }
          return text.toLowerCase(Locale.ROOT);
        }

        @Override
        String show(String text) {
          return Secret.MASK;
        }
      };

  static final SettingType<Instant> INSTANT =
      new SettingType<>(
          "instant",
          "a date such as 2027-01-01 (0:00 UTC) or a time such as 2027-01-01T08:00:00Z") {
        @Override
        Instant read(String text) throws BadValue {
          try {
            return text.indexOf('T') < 0
                ? LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant()
                : Instant.parse(text);
          } catch (DateTimeException e) {
            throw BadValue.expected(expected());
          }
        }
      };

  static final Property<GatewayKeyEntry, String> NAME =
      new Property<>(
          "name",
          SettingType.NAME,
          null,
          Range.any(),
          GatewayKeyEntry::name,
          "What logs, metrics and usage call the key; its user is key:<name>.");

  static final Property<GatewayKeyEntry, String> HASH =
      new Property<>(
          "sha256",
          SHA256,
          null,
          Range.any(),
          GatewayKeyEntry::sha256,
          "SHA-256 of the key in hexadecimal. The key itself is written down nowhere.");

  static final Property<GatewayKeyEntry, String> GROUP =
      new Property<>(
          "group",
          SettingType.NAME,
          null,
          Range.any(),
          GatewayKeyEntry::group,
          "The group whose limits and rights the key has.");

  static final Property<GatewayKeyEntry, Instant> EXPIRES =
      new Property<>(
          "expires",
          INSTANT,
          null,
          Range.any(),
          GatewayKeyEntry::expires,
          "From when on the key is refused. Without it, never.");

  static final Property<GatewayKeyEntry, List<AddressBlock>> ADDRESSES =
      new Property<>(
          "addresses",
          SettingType.listOf(ADDRESS_BLOCK).sized(0, 100, "addresses"),
          null,
          Range.any(),
          GatewayKeyEntry::addresses,
          "From where the key may be used. Without it, from everywhere.");

  static final RecordType<GatewayKeyEntry> KEY =
      new RecordType<>(
              "key", GatewayKeyProperties::make, List.of(NAME, HASH, GROUP, EXPIRES, ADDRESSES))
          .needing(List.of(NAME, HASH, GROUP));

  private GatewayKeyProperties() {}

  private static GatewayKeyEntry make(Values<GatewayKeyEntry> values) {
    Problems problems = new Problems();
    for (Property<GatewayKeyEntry, ?> needed : KEY.needed()) {
      if (!values.has(needed)) {
        String text =
            "key "
                + values.place()
                + " has no "
                + needed.name()
                + " (expected: "
                + needed.type().expected();
        problems.add(Problem.of(needed.name(), text + ")", null));
      }
    }
    problems.throwIfAny();
    return new GatewayKeyEntry(
        requireNonNull(values.get(NAME)),
        requireNonNull(values.get(HASH)),
        requireNonNull(values.get(GROUP)),
        values.get(EXPIRES),
        values.get(ADDRESSES, List.of()));
  }
}
