#include "services/wire/waiting_messages.h"

#include "services/core/time/proto_time.h"

namespace entrepot {

types::v1::Waiting ToMessage(const Waiting& waiting) {
  types::v1::Waiting message;
  message.set_count(waiting.count);
  message.set_bytes(waiting.bytes);
  message.set_more(waiting.more);
  if (waiting.first_at.has_value()) *message.mutable_first_at() = ToTimestamp(*waiting.first_at);
  if (waiting.last_at.has_value()) *message.mutable_last_at() = ToTimestamp(*waiting.last_at);
  return message;
}

Waiting FromMessage(const types::v1::Waiting& message) {
  Waiting waiting{.count = message.count(), .bytes = message.bytes(), .more = message.more()};
  // Both or none of them.
  if (message.has_first_at() && message.has_last_at()) {
    waiting.first_at = FromTimestamp(message.first_at());
    waiting.last_at = FromTimestamp(message.last_at());
  }
  return waiting;
}

}  // namespace entrepot
