#include "services/upstream/testing/fake_upstream_registry.h"

#include <algorithm>
#include <variant>

#include "services/core/digester.h"
#include "services/core/tag.h"
#include "services/status/status_macros.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {

Digest FakeUpstreamRegistry::AddBlob(const std::string& repository, const std::string& content) {
  absl::MutexLock lock(&mutex_);
  Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  contents_[{repository, digest.ToString()}] = content;
  return digest;
}

Digest FakeUpstreamRegistry::AddManifest(const std::string& repository, const std::string& media_type,
                                         const std::string& content, const std::optional<std::string>& tag) {
  absl::MutexLock lock(&mutex_);
  Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  manifests_.insert_or_assign(Key(repository, digest.ToString()),
                              UpstreamManifest{digest, media_type, content, content.size()});
  if (tag.has_value()) tags_[{repository, *tag}] = digest.ToString();
  return digest;
}

void FakeUpstreamRegistry::DeleteTag(const std::string& repository, const std::string& tag) {
  absl::MutexLock lock(&mutex_);
  tags_.erase({repository, tag});
}

void FakeUpstreamRegistry::SetReferrers(const std::string& repository, const Digest& subject,
                                        std::vector<Referrer> referrers) {
  absl::MutexLock lock(&mutex_);
  referrers_[{repository, subject.ToString()}] = std::move(referrers);
}

void FakeUpstreamRegistry::SetRateLimit(RateLimit limit) {
  absl::MutexLock lock(&mutex_);
  rate_limit_ = limit;
}

void FakeUpstreamRegistry::SetScript(const Digest& digest, BlobScript script) {
  absl::MutexLock lock(&mutex_);
  blobs_[digest.ToString()].script = std::move(script);
}

void FakeUpstreamRegistry::HoldAt(const Digest& digest, uint64_t offset_bytes) {
  absl::MutexLock lock(&mutex_);
  blobs_[digest.ToString()].held_at = offset_bytes;
}

void FakeUpstreamRegistry::Release(const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  blobs_[digest.ToString()].held_at.reset();
}

bool FakeUpstreamRegistry::Holds(const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  const auto found = blobs_.find(digest.ToString());
  return found != blobs_.end() && found->second.held_at.has_value() && found->second.waiting > 0;
}

void FakeUpstreamRegistry::FailAll(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

void FakeUpstreamRegistry::HideDigests() {
  absl::MutexLock lock(&mutex_);
  digests_hidden_ = true;
}

std::vector<uint64_t> FakeUpstreamRegistry::BlobReads(const Digest& digest) const {
  absl::MutexLock lock(&mutex_);
  const auto found = blobs_.find(digest.ToString());
  return found == blobs_.end() ? std::vector<uint64_t>() : found->second.reads;
}

int FakeUpstreamRegistry::blob_gets_at_once() const {
  absl::MutexLock lock(&mutex_);
  return running_most_;
}

int FakeUpstreamRegistry::calls(const std::string& name) const {
  absl::MutexLock lock(&mutex_);
  const auto found = calls_.find(name);
  return found == calls_.end() ? 0 : found->second;
}

bool FakeUpstreamRegistry::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

absl::Status FakeUpstreamRegistry::Call(const std::string& name) {
  ++calls_[name];
  if (stopped_) return absl::CancelledError("stopped");
  return failure_;
}

absl::StatusOr<UpstreamManifest> FakeUpstreamRegistry::FindManifest(const std::string& repository,
                                                                    const Reference& reference) {
  std::string digest = ReferenceToString(reference);
  if (std::holds_alternative<Tag>(reference)) {
    const auto tag = tags_.find({repository, digest});
    if (tag == tags_.end()) return UpstreamError(UpstreamFailure::kNotFound, "the upstream has no such tag");
    digest = tag->second;
  }
  const auto found = manifests_.find({repository, digest});
  if (found == manifests_.end()) return UpstreamError(UpstreamFailure::kNotFound, "the upstream has no such manifest");
  return found->second;
}

absl::StatusOr<UpstreamManifest> FakeUpstreamRegistry::HeadManifest(const std::string& repository,
                                                                    const Reference& reference) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Call("HeadManifest"));
  ASSIGN_OR_RETURN(UpstreamManifest manifest, FindManifest(repository, reference));
  if (digests_hidden_) return UpstreamError(UpstreamFailure::kInvalid, "the upstream did not send the digest");
  manifest.content.clear();
  return manifest;
}

absl::StatusOr<UpstreamManifest> FakeUpstreamRegistry::GetManifest(const std::string& repository,
                                                                   const Reference& reference) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Call("GetManifest"));
  return FindManifest(repository, reference);
}

absl::StatusOr<UpstreamBlobHead> FakeUpstreamRegistry::HeadBlob(const std::string& repository, const Digest& digest) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Call("HeadBlob"));
  const auto found = contents_.find({repository, digest.ToString()});
  if (found == contents_.end()) return UpstreamError(UpstreamFailure::kNotFound, "the upstream has no such blob");
  UpstreamBlobHead head;
  if (blobs_[digest.ToString()].script.tells_size) head.size_bytes = found->second.size();
  return head;
}

absl::Status FakeUpstreamRegistry::GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                                           const BlobSink& sink) {
  std::string content;
  {
    absl::MutexLock lock(&mutex_);
    blobs_[digest.ToString()].reads.push_back(offset_bytes);
    RETURN_IF_ERROR(Call("GetBlob"));
    const auto found = contents_.find({repository, digest.ToString()});
    if (found == contents_.end()) return UpstreamError(UpstreamFailure::kNotFound, "the upstream has no such blob");
    content = found->second;
    running_most_ = std::max(running_most_, ++running_);
  }
  absl::Status status = SendBlob(content, digest, offset_bytes, sink);
  absl::MutexLock lock(&mutex_);
  --running_;
  return status;
}

absl::Status FakeUpstreamRegistry::SendBlob(const std::string& content, const Digest& digest, uint64_t offset_bytes,
                                            const BlobSink& sink) {
  BlobScript script;
  size_t call = 0;
  {
    absl::MutexLock lock(&mutex_);
    const Blob& blob = blobs_[digest.ToString()];
    script = blob.script;
    call = blob.reads.size() - 1;
  }
  if (call < script.failures.size()) return script.failures[call];
  call -= script.failures.size();
  const std::string& body = script.body.has_value() ? *script.body : content;
  UpstreamBlobHead head;
  if (script.tells_size) head.size_bytes = script.told_size.value_or(body.size());
  head.offset_bytes = script.ignores_offset ? 0 : offset_bytes;
  if (head.offset_bytes > 0 && head.offset_bytes >= body.size()) {
    return UpstreamError(UpstreamFailure::kInvalid, "the upstream answered 416");
  }
  RETURN_IF_ERROR(sink.on_head(head));
  const uint64_t end = call < script.cuts.size() ? std::min<uint64_t>(script.cuts[call], body.size()) : body.size();
  for (uint64_t offset = head.offset_bytes; offset < end;) {
    RETURN_IF_ERROR(WaitAt(digest, offset));
    uint64_t piece_end = std::min<uint64_t>(offset + script.piece_bytes, end);
    {
      // A piece ends at the byte before which the call waits.
      absl::MutexLock lock(&mutex_);
      const std::optional<uint64_t> held_at = blobs_[digest.ToString()].held_at;
      if (held_at.has_value() && *held_at > offset) piece_end = std::min(piece_end, *held_at);
    }
    RETURN_IF_ERROR(sink.on_bytes(absl::string_view(body).substr(offset, piece_end - offset)));
    offset = piece_end;
  }
  RETURN_IF_ERROR(WaitAt(digest, end));
  if (call < script.cuts.size()) {
    return script.cut_status.value_or(UpstreamError(UpstreamFailure::kUnavailable, "the upstream broke off"));
  }
  return absl::OkStatus();
}

absl::Status FakeUpstreamRegistry::WaitAt(const Digest& digest, uint64_t offset_bytes) {
  absl::MutexLock lock(&mutex_);
  Blob& blob = blobs_[digest.ToString()];
  if (blob.held_at == offset_bytes) {
    ++blob.waiting;
    const auto free = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopped_ || blob.held_at != offset_bytes; };
    mutex_.Await(absl::Condition(&free));
    --blob.waiting;
  }
  return stopped_ ? absl::CancelledError("stopped") : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FakeUpstreamRegistry::ListTags(const std::string& repository,
                                                                        size_t tags_max) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Call("ListTags"));
  std::vector<std::string> tags;
  for (const auto& [key, digest] : tags_) {
    if (key.first == repository && tags.size() < tags_max) tags.push_back(key.second);
  }
  return tags;
}

absl::StatusOr<std::vector<Referrer>> FakeUpstreamRegistry::ListReferrers(const std::string& repository,
                                                                          const Digest& subject) {
  absl::MutexLock lock(&mutex_);
  RETURN_IF_ERROR(Call("ListReferrers"));
  const auto found = referrers_.find({repository, subject.ToString()});
  return found == referrers_.end() ? std::vector<Referrer>() : found->second;
}

RateLimit FakeUpstreamRegistry::rate_limit() const {
  absl::MutexLock lock(&mutex_);
  return rate_limit_;
}

void FakeUpstreamRegistry::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

}  // namespace entrepot::upstream
