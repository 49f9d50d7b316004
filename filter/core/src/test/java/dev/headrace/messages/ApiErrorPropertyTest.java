package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ApiErrorPropertyTest {
  private static final byte[] REAL =
      ("{\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":"
              + "\"Overloaded\"},\"request_id\":\"req_011CVMqXfA3bLr7sNwPkD9Tu\"}")
          .getBytes(UTF_8);

  @Property
  void randomBytesNeverThrow(@ForAll @Size(max = 100) byte[] data) {
    ApiError.fromEventData(data, 0, data.length);
  }

  @Property
  void damagedErrorsNeverThrow(
      @ForAll @IntRange(max = 100) int place, @ForAll @Size(max = 4) byte[] written) {
    byte[] data = REAL.clone();
    System.arraycopy(written, 0, data, place, written.length);
    ApiError error = ApiError.fromEventData(data, 0, data.length);
    assertThat(error == null || error.status() >= 400).isTrue();
  }

  @Property
  void everyTextSurvivesWritingAndReading(@ForAll String type, @ForAll String message) {
    byte[] json = new ApiError(1, type, message, null).json();
    assertThat(ApiError.fromEventData(json, 0, json.length))
        .isEqualTo(
            new ApiError(
                ApiError.statusOf(type),
                WellFormed.repair(type),
                WellFormed.repair(message),
                null));
  }
}
