#include "services/wire/content_messages.h"

#include <utility>

#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/storage_key.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_macros.h"

namespace entrepot {

types::v1::Blob ToMessage(const Blob& blob) {
  types::v1::Blob message;
  message.set_digest(blob.digest.ToString());
  message.set_size_bytes(blob.size_bytes);
  message.set_storage_key(blob.storage_key.ToString());
  return message;
}

absl::StatusOr<Blob> FromMessage(const types::v1::Blob& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(message.storage_key()));
  return Blob{.digest = std::move(digest), .size_bytes = message.size_bytes(), .storage_key = std::move(key)};
}

types::v1::Caller ToMessage(const Caller& caller) {
  types::v1::Caller message;
  message.set_account(caller.account);
  message.mutable_groups()->Add(caller.groups.begin(), caller.groups.end());
  if (caller.token_issued_at != absl::InfiniteFuture()) {
    *message.mutable_token_issued_at() = ToTimestamp(caller.token_issued_at);
  }
  return message;
}

Caller FromMessage(const types::v1::Caller& message) {
  Caller caller{.account = message.account(), .groups = {message.groups().begin(), message.groups().end()}};
  if (message.has_token_issued_at()) caller.token_issued_at = FromTimestamp(message.token_issued_at());
  return caller;
}

}  // namespace entrepot
