package dev.headrace.upstream;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** For an attempt of which only the failure matters. */
class Deaf implements AttemptListener {

  final CompletableFuture<UpstreamFailure> failure = new CompletableFuture<>();

  @Override
  public void onHead(UpstreamResponseHead head) {}

  @Override
  public void onBytes(ByteBuffer bytes) {}

  @Override
  public void onPause() {}

  @Override
  public void onEnd() {}

  @Override
  public void onFailure(UpstreamFailure how) {
    failure.complete(how);
  }
}
