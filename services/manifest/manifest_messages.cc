#include "services/manifest/manifest_messages.h"

#include <string>
#include <vector>

#include "google/protobuf/repeated_ptr_field.h"
#include "services/core/media_type.h"
#include "services/core/storage_key.h"
#include "services/core/tag.h"
#include "services/manifest/records/record_io.h"

namespace entrepot::manifest {
namespace {

void MoveInto(std::vector<std::string>&& from, google::protobuf::RepeatedPtrField<std::string>* to) {
  to->Reserve(static_cast<int>(from.size()));
  for (std::string& text : from) *to->Add() = std::move(text);
}

void ToMessage(Referrer&& referrer, v1::Referrer* message) {
  message->set_digest(referrer.digest.ToString());
  message->set_media_type(std::move(referrer.media_type));
  message->set_size_bytes(referrer.size_bytes);
  message->set_artifact_type(std::move(referrer.artifact_type));
  message->mutable_annotations()->insert(referrer.annotations.begin(), referrer.annotations.end());
}

}  // namespace

Caller FromMessage(const types::v1::Caller& message) {
  Caller caller{.account = message.account(), .groups = {message.groups().begin(), message.groups().end()}};
  if (message.has_token_issued_at()) caller.token_issued_at = FromTimestamp(message.token_issued_at());
  return caller;
}

absl::StatusOr<Blob> FromMessage(const v1::CommitBlobRequest& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  ASSIGN_OR_RETURN(StorageKey storage_key, StorageKey::Parse(message.storage_key()));
  return Blob{.digest = std::move(digest), .size_bytes = message.size_bytes(), .storage_key = std::move(storage_key)};
}

absl::StatusOr<std::optional<RepositoryName>> SourceOf(const v1::MountBlobRequest& message) {
  if (message.source_repository().empty()) return std::nullopt;
  return RepositoryName::Parse(message.source_repository());
}

absl::StatusOr<ManifestPut> FromMessage(const v1::PutManifestRequest& message) {
  ASSIGN_OR_RETURN(Reference reference, ParseReference(message.reference()));
  ManifestPut put{
      .reference = std::move(reference), .media_type = std::nullopt, .content = message.content(), .tags = {}};
  if (!message.media_type().empty()) {
    ASSIGN_OR_RETURN(put.media_type, MediaType::Parse(message.media_type()));
  }
  for (const std::string& text : message.tags()) {
    ASSIGN_OR_RETURN(Tag tag, Tag::Parse(text));
    put.tags.push_back(std::move(tag));
  }
  return put;
}

void ToMessage(const Blob& blob, v1::Blob* message) {
  message->set_digest(blob.digest.ToString());
  message->set_size_bytes(blob.size_bytes);
  message->set_storage_key(blob.storage_key.ToString());
}

void ToMessage(const ManifestPutResult& result, v1::PutManifestResponse* message) {
  message->set_digest(result.digest.ToString());
  if (result.subject.has_value()) message->set_subject(result.subject->ToString());
}

void ToMessage(StoredManifest&& manifest, v1::Manifest* message) {
  message->set_digest(manifest.digest.ToString());
  message->set_media_type(std::move(manifest.media_type));
  message->set_content(std::move(manifest.content));
  message->set_size_bytes(manifest.size_bytes);
}

void ToMessage(TagPage&& page, v1::ListTagsResponse* message) {
  MoveInto(std::move(page.tags), message->mutable_tags());
  message->set_more(page.more);
}

void ToMessage(ReferrerPage&& page, v1::ListReferrersResponse* message) {
  for (Referrer& referrer : page.referrers) ToMessage(std::move(referrer), message->add_referrers());
  if (page.next.has_value()) message->set_next(page.next->ToString());
}

void ToMessage(RepositoryPage&& page, v1::ListRepositoriesResponse* message) {
  MoveInto(std::move(page.repositories), message->mutable_repositories());
  message->set_more(page.more);
}

void ToMessage(const RepositoryDeletion& deletion, v1::DeleteRepositoryResponse* message) {
  message->set_manifests(deletion.manifests);
  message->set_tags(deletion.tags);
  message->set_blobs(deletion.blobs);
}

}  // namespace entrepot::manifest
