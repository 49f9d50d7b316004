package dev.headrace.messages;

import org.jspecify.annotations.Nullable;

/** A {@link UsageView} that stays as it is. */
record UsageSnapshot(MessageFacts facts, long estimatedOutputTokens, boolean hasOutput)
    implements UsageView {

  @Override
  public @Nullable MessageUsage usage() {
    return facts.usage();
  }

  @Override
  public @Nullable String model() {
    return facts.model();
  }

  @Override
  public @Nullable String messageId() {
    return facts.messageId();
  }

  @Override
  public @Nullable String stopReason() {
    return facts.stopReason();
  }

  @Override
  public boolean isFinal() {
    return facts.isFinal();
  }

  @Override
  public boolean unreadable() {
    return facts.unreadable();
  }

  @Override
  public UsageView snapshot() {
    return this;
  }
}
