#include "services/wire/manifest_messages.h"

#include <iterator>
#include <string>
#include <vector>

#include "services/core/media_type.h"
#include "services/core/tag.h"

namespace entrepot {
namespace {

namespace v1 = manifest::v1;
using Strings = google::protobuf::RepeatedPtrField<std::string>;

void MoveStrings(std::vector<std::string>&& from, Strings* to) {
  to->Reserve(static_cast<int>(from.size()));
  for (std::string& text : from) *to->Add() = std::move(text);
}

std::vector<std::string> TakeStrings(Strings* strings) {
  return {std::make_move_iterator(strings->begin()), std::make_move_iterator(strings->end())};
}

v1::Referrer ReferrerMessage(Referrer&& referrer) {
  v1::Referrer message;
  message.set_digest(referrer.digest.ToString());
  message.set_media_type(std::move(referrer.media_type));
  message.set_size_bytes(referrer.size_bytes);
  message.set_artifact_type(std::move(referrer.artifact_type));
  message.mutable_annotations()->insert(referrer.annotations.begin(), referrer.annotations.end());
  return message;
}

absl::StatusOr<Referrer> ReferrerOf(v1::Referrer&& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  return Referrer{.digest = std::move(digest),
                  .media_type = std::move(*message.mutable_media_type()),
                  .size_bytes = message.size_bytes(),
                  .artifact_type = std::move(*message.mutable_artifact_type()),
                  .annotations = {message.annotations().begin(), message.annotations().end()}};
}

v1::Preconditions::EntityTags TagsMessage(const EntityTags& tags) {
  v1::Preconditions::EntityTags message;
  message.set_any(tags.any);
  for (const Digest& digest : tags.digests) message.add_digests(digest.ToString());
  return message;
}

absl::StatusOr<EntityTags> TagsOf(const v1::Preconditions::EntityTags& message) {
  EntityTags tags{.any = message.any()};
  for (const std::string& text : message.digests()) {
    ASSIGN_OR_RETURN(Digest digest, Digest::Parse(text));
    tags.digests.push_back(std::move(digest));
  }
  return tags;
}

}  // namespace

absl::StatusOr<std::optional<RepositoryName>> SourceOf(const v1::MountBlobRequest& message) {
  if (message.source_repository().empty()) return std::nullopt;
  return RepositoryName::Parse(message.source_repository());
}

v1::Preconditions ToMessage(const Preconditions& preconditions) {
  v1::Preconditions message;
  if (preconditions.if_match.has_value()) *message.mutable_if_match() = TagsMessage(*preconditions.if_match);
  if (preconditions.if_none_match.has_value()) {
    *message.mutable_if_none_match() = TagsMessage(*preconditions.if_none_match);
  }
  return message;
}

absl::StatusOr<Preconditions> FromMessage(const v1::Preconditions& message) {
  Preconditions preconditions;
  if (message.has_if_match()) {
    ASSIGN_OR_RETURN(preconditions.if_match, TagsOf(message.if_match()));
  }
  if (message.has_if_none_match()) {
    ASSIGN_OR_RETURN(preconditions.if_none_match, TagsOf(message.if_none_match()));
  }
  return preconditions;
}

v1::PutManifestRequest ToMessage(const ManifestPut& put) {
  v1::PutManifestRequest message;
  message.set_reference(ReferenceToString(put.reference));
  if (put.media_type.has_value()) message.set_media_type(put.media_type->ToString());
  message.set_content(put.content);
  for (const Tag& tag : put.tags) message.add_tags(tag.ToString());
  if (!put.preconditions.empty()) *message.mutable_preconditions() = ToMessage(put.preconditions);
  message.set_cache_of(put.cache_of);
  return message;
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
  ASSIGN_OR_RETURN(put.preconditions, FromMessage(message.preconditions()));
  put.cache_of = message.cache_of();
  return put;
}

v1::PutManifestResponse ToMessage(const ManifestPutResult& result) {
  v1::PutManifestResponse message;
  message.set_digest(result.digest.ToString());
  if (result.subject.has_value()) message.set_subject(result.subject->ToString());
  return message;
}

absl::StatusOr<ManifestPutResult> FromMessage(const v1::PutManifestResponse& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  ManifestPutResult result{.digest = std::move(digest), .subject = std::nullopt};
  if (!message.subject().empty()) {
    ASSIGN_OR_RETURN(result.subject, Digest::Parse(message.subject()));
  }
  return result;
}

v1::Manifest ToMessage(StoredManifest&& manifest) {
  v1::Manifest message;
  message.set_digest(manifest.digest.ToString());
  message.set_media_type(std::move(manifest.media_type));
  message.set_content(std::move(manifest.content));
  message.set_size_bytes(manifest.size_bytes);
  return message;
}

absl::StatusOr<StoredManifest> FromMessage(v1::Manifest&& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  return StoredManifest{.digest = std::move(digest),
                        .media_type = std::move(*message.mutable_media_type()),
                        .content = std::move(*message.mutable_content()),
                        .size_bytes = message.size_bytes()};
}

v1::ListTagsResponse ToMessage(TagPage&& page) {
  v1::ListTagsResponse message;
  MoveStrings(std::move(page.tags), message.mutable_tags());
  message.set_more(page.more);
  return message;
}

TagPage FromMessage(v1::ListTagsResponse&& message) {
  return {.tags = TakeStrings(message.mutable_tags()), .more = message.more()};
}

v1::ListReferrersResponse ToMessage(ReferrerPage&& page) {
  v1::ListReferrersResponse message;
  for (Referrer& referrer : page.referrers) *message.add_referrers() = ReferrerMessage(std::move(referrer));
  if (page.next.has_value()) message.set_next(page.next->ToString());
  return message;
}

absl::StatusOr<ReferrerPage> FromMessage(v1::ListReferrersResponse&& message) {
  ReferrerPage page;
  for (v1::Referrer& item : *message.mutable_referrers()) {
    ASSIGN_OR_RETURN(Referrer referrer, ReferrerOf(std::move(item)));
    page.referrers.push_back(std::move(referrer));
  }
  if (!message.next().empty()) {
    ASSIGN_OR_RETURN(page.next, Digest::Parse(message.next()));
  }
  return page;
}

v1::ListRepositoriesResponse ToMessage(RepositoryPage&& page) {
  v1::ListRepositoriesResponse message;
  MoveStrings(std::move(page.repositories), message.mutable_repositories());
  message.set_more(page.more);
  return message;
}

RepositoryPage FromMessage(v1::ListRepositoriesResponse&& message) {
  return {.repositories = TakeStrings(message.mutable_repositories()), .more = message.more()};
}

v1::DeleteRepositoryResponse ToMessage(const RepositoryDeletion& deletion) {
  v1::DeleteRepositoryResponse message;
  message.set_manifests(deletion.manifests);
  message.set_tags(deletion.tags);
  message.set_blobs(deletion.blobs);
  return message;
}

RepositoryDeletion FromMessage(const v1::DeleteRepositoryResponse& message) {
  return {.manifests = message.manifests(), .tags = message.tags(), .blobs = message.blobs()};
}

v1::MakeRoomRequest ToMessage(const RoomRequest& request) {
  v1::MakeRoomRequest message;
  message.set_upstream(request.upstream);
  message.set_bytes_max(request.bytes_max);
  if (request.repository.has_value()) message.set_repository(request.repository->ToString());
  if (request.reference.has_value()) message.set_reference(ReferenceToString(*request.reference));
  message.set_also_recent(request.also_recent);
  message.set_dry_run(request.dry_run);
  return message;
}

absl::StatusOr<RoomRequest> FromMessage(const v1::MakeRoomRequest& message) {
  RoomRequest request;
  request.upstream = message.upstream();
  request.bytes_max = message.bytes_max();
  request.also_recent = message.also_recent();
  request.dry_run = message.dry_run();
  if (!message.repository().empty()) {
    ASSIGN_OR_RETURN(request.repository, RepositoryName::Parse(message.repository()));
  }
  if (!message.reference().empty()) {
    ASSIGN_OR_RETURN(request.reference, ParseReference(message.reference()));
  }
  return request;
}

v1::ClaimFetchRequest ToMessage(const FetchClaim& claim) {
  v1::ClaimFetchRequest message;
  message.set_upstream(claim.upstream);
  message.set_digest(claim.digest.ToString());
  message.set_holder(claim.holder);
  message.set_lifetime_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(claim.lifetime)));
  return message;
}

absl::StatusOr<FetchClaim> FromMessage(const v1::ClaimFetchRequest& message) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(message.digest()));
  return FetchClaim{.upstream = message.upstream(),
                    .digest = std::move(digest),
                    .holder = message.holder(),
                    .lifetime = absl::Milliseconds(message.lifetime_ms())};
}

}  // namespace entrepot
