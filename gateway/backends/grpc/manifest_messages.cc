#include "gateway/backends/grpc/manifest_messages.h"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/repeated_ptr_field.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway {
namespace {

namespace v1 = manifest::v1;

std::vector<std::string> TakeStrings(google::protobuf::RepeatedPtrField<std::string>* strings) {
  return {std::make_move_iterator(strings->begin()), std::make_move_iterator(strings->end())};
}

absl::StatusOr<Referrer> FromMessage(v1::Referrer&& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  Referrer referrer{std::move(digest),
                    std::move(*message.mutable_media_type()),
                    message.size_bytes(),
                    std::move(*message.mutable_artifact_type()),
                    {}};
  referrer.annotations.insert(message.annotations().begin(), message.annotations().end());
  return referrer;
}

}  // namespace

absl::StatusOr<Blob> FromMessage(const v1::Blob& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(message.storage_key()));
  return Blob{std::move(digest), message.size_bytes(), std::move(key)};
}

absl::StatusOr<ManifestPutResult> FromMessage(const v1::PutManifestResponse& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  ManifestPutResult result{std::move(digest), std::nullopt};
  if (!message.subject().empty()) {
    ASSIGN_OR_RETURN(result.subject, Digest::Parse(message.subject()));
  }
  return result;
}

absl::StatusOr<StoredManifest> FromMessage(v1::Manifest&& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  return StoredManifest{std::move(digest), std::move(*message.mutable_media_type()),
                        std::move(*message.mutable_content()), message.size_bytes()};
}

TagPage FromMessage(v1::ListTagsResponse&& message) { return {TakeStrings(message.mutable_tags()), message.more()}; }

absl::StatusOr<ReferrerPage> FromMessage(v1::ListReferrersResponse&& message) {
  ReferrerPage page;
  for (v1::Referrer& item : *message.mutable_referrers()) {
    ASSIGN_OR_RETURN(Referrer referrer, FromMessage(std::move(item)));
    page.referrers.push_back(std::move(referrer));
  }
  if (!message.next().empty()) {
    ASSIGN_OR_RETURN(page.next, Digest::Parse(message.next()));
  }
  return page;
}

RepositoryPage FromMessage(v1::ListRepositoriesResponse&& message) {
  return {TakeStrings(message.mutable_repositories()), message.more()};
}

RepositoryDeletion FromMessage(const v1::DeleteRepositoryResponse& message) {
  return {.manifests = message.manifests(), .tags = message.tags(), .blobs = message.blobs()};
}

types::v1::Caller ToMessage(const Caller& caller) {
  types::v1::Caller message;
  message.set_account(caller.account);
  message.mutable_groups()->Add(caller.groups.begin(), caller.groups.end());
  if (caller.token_issued_at != absl::InfiniteFuture()) {
    const int64_t micros = absl::ToUnixMicros(caller.token_issued_at);
    const int64_t seconds = absl::ToUnixSeconds(caller.token_issued_at);
    message.mutable_token_issued_at()->set_seconds(seconds);
    message.mutable_token_issued_at()->set_nanos(static_cast<int32_t>(micros - seconds * 1'000'000) * 1000);
  }
  return message;
}

}  // namespace entrepot::gateway
