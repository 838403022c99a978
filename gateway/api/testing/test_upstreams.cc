#include "gateway/api/testing/test_upstreams.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using boost::asio::awaitable;

constexpr char kIndexMediaType[] = "application/vnd.oci.image.index.v1+json";

// Gives bytes one piece after the other, then an error if bytes are left.
class BytesStream : public ByteStream {
 public:
  BytesStream(std::string bytes, uint64_t breaks_at) : bytes_(std::move(bytes)), breaks_at_(breaks_at) {}

  awaitable<absl::StatusOr<absl::string_view>> Next() override {
    const uint64_t end = std::min<uint64_t>(bytes_.size(), breaks_at_);
    if (at_ == end && end < bytes_.size()) {
      co_return OciError(OciErrorCode::kUnavailable, "the upstream broke off", "the upstream broke off");
    }
    const uint64_t size = std::min<uint64_t>(1000, end - at_);
    at_ += size;
    co_return absl::string_view(bytes_).substr(at_ - size, size);
  }

 private:
  const std::string bytes_;
  const uint64_t breaks_at_;
  uint64_t at_ = 0;
};

}  // namespace

TestUpstreams::TestUpstreams(absl::string_view file)
    : file_(upstream::ParseUpstreams(file, "upstreams.yaml").value()) {}

RegistryUpstreams TestUpstreams::upstreams() {
  return {this, [file = file_] { return file; }};
}

std::string TestUpstreams::Manifest(absl::string_view text) {
  return absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kIndexMediaType,
                      R"(","manifests":[],"annotations":{"text":")", text, R"("}})");
}

Digest TestUpstreams::AddManifest(const std::string& repository, const std::string& tag, absl::string_view text) {
  const std::string content = Manifest(text);
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, content);
  manifests_[{repository, tag}] = content;
  manifests_[{repository, digest.ToString()}] = content;
  return digest;
}

Digest TestUpstreams::AddBlob(const std::string& bytes, uint64_t breaks_at) {
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
  blobs_[digest.ToString()] = {bytes, breaks_at};
  return digest;
}

void TestUpstreams::MakeStale(std::string reason, absl::Duration age) {
  absl::MutexLock lock(&mutex_);
  stale_reason_ = std::move(reason);
  age_ = age;
}

void TestUpstreams::FailWith(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  failure_ = status;
}

void TestUpstreams::Recall(const std::string& repository, const std::string& tag, std::optional<RecalledTag> recalled) {
  absl::MutexLock lock(&mutex_);
  recalled_.erase({repository, tag});
  if (recalled.has_value()) recalled_.insert({{repository, tag}, *std::move(recalled)});
}

int TestUpstreams::recalled_count() {
  absl::MutexLock lock(&mutex_);
  return recalled_count_;
}

std::optional<RecalledTag> TestUpstreams::RecallTag(const RepositoryName& repository, const Tag& tag) {
  absl::MutexLock lock(&mutex_);
  const auto found = recalled_.find({repository.ToString(), tag.ToString()});
  if (found == recalled_.end()) return std::nullopt;
  return found->second;
}

void TestUpstreams::CountRecalled(const RepositoryName&, const RecalledTag&) {
  absl::MutexLock lock(&mutex_);
  ++recalled_count_;
}

std::vector<std::string> TestUpstreams::TakeCalls() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(calls_, {});
}

absl::Status TestUpstreams::Begin(absl::string_view call, const RepositoryName& repository,
                                  absl::string_view argument) {
  absl::MutexLock lock(&mutex_);
  calls_.push_back(absl::StrCat(call, " ", repository.ToString(), argument.empty() ? "" : " ", argument));
  return failure_;
}

absl::StatusOr<ResolvedManifest> TestUpstreams::Resolve(const RepositoryName& repository, const Reference& reference,
                                                        bool metadata_only) {
  RETURN_IF_ERROR(Begin("ResolveManifest", repository, ReferenceToString(reference)));
  const auto found = manifests_.find({repository.ToString(), ReferenceToString(reference)});
  if (found == manifests_.end()) return OciError(OciErrorCode::kManifestUnknown, "the upstream has no such manifest");
  const std::string& content = found->second;
  if (!metadata_only) {
    RETURN_IF_ERROR(
        services_->catalog()->manifests().Put({}, repository, {reference, std::nullopt, content, {}}).status());
  }
  absl::MutexLock lock(&mutex_);
  return ResolvedManifest{.digest = ComputeDigest(DigestAlgorithm::kSha256, content),
                          .media_type = kIndexMediaType,
                          .size_bytes = content.size(),
                          .stored = !metadata_only,
                          .stale_reason = stale_reason_,
                          .age = age_};
}

awaitable<absl::StatusOr<ResolvedManifest>> TestUpstreams::ResolveManifest(const CallContext&,
                                                                           const RepositoryName& repository,
                                                                           const Reference& reference,
                                                                           bool metadata_only) {
  co_return Resolve(repository, reference, metadata_only);
}

awaitable<absl::StatusOr<UpstreamBlob>> TestUpstreams::FindBlob(const CallContext&, const RepositoryName& repository,
                                                                const Digest& digest) {
  CO_RETURN_IF_ERROR(Begin("FindBlob", repository, digest.ToString()));
  const auto found = blobs_.find(digest.ToString());
  if (found == blobs_.end()) co_return OciError(OciErrorCode::kBlobUnknown, "the upstream has no such blob");
  co_return UpstreamBlob{.size_bytes = found->second.bytes.size()};
}

awaitable<absl::StatusOr<UpstreamBlob>> TestUpstreams::OpenBlob(const CallContext&, const RepositoryName& repository,
                                                                const Digest& digest, uint64_t offset_bytes,
                                                                uint64_t length_bytes, size_t) {
  CO_RETURN_IF_ERROR(Begin("OpenBlob", repository, digest.ToString()));
  const auto found = blobs_.find(digest.ToString());
  if (found == blobs_.end()) co_return OciError(OciErrorCode::kBlobUnknown, "the upstream has no such blob");
  const std::string& bytes = found->second.bytes;
  if (stores_blobs_) co_return UpstreamBlob{.size_bytes = bytes.size(), .stored = true};
  std::string range = bytes.substr(offset_bytes, length_bytes == 0 ? std::string::npos : length_bytes);
  UpstreamBlob blob{.size_bytes = bytes.size()};
  const uint64_t length = range.size();
  blob.body = StreamBody{std::make_unique<BytesStream>(std::move(range), found->second.breaks_at), length};
  co_return blob;
}

awaitable<absl::StatusOr<TagPage>> TestUpstreams::ListTags(const CallContext&, const RepositoryName& repository,
                                                           size_t limit, absl::string_view last) {
  CO_RETURN_IF_ERROR(Begin("ListTags", repository, ""));
  TagPage page;
  for (const std::string& tag : tags_) {
    if (tag <= last) continue;
    page.more = page.tags.size() == limit;
    if (page.more) break;
    page.tags.push_back(tag);
  }
  co_return page;
}

awaitable<absl::StatusOr<std::vector<Referrer>>> TestUpstreams::ListReferrers(const CallContext&,
                                                                              const RepositoryName& repository,
                                                                              const Digest& subject) {
  CO_RETURN_IF_ERROR(Begin("ListReferrers", repository, subject.ToString()));
  co_return referrers_;
}

upstream::v1::ManageUpstreamsRequest TestUpstreams::last_command() {
  absl::MutexLock lock(&mutex_);
  return last_command_;
}

awaitable<absl::StatusOr<upstream::v1::ManageUpstreamsResponse>> TestUpstreams::Manage(
    const CallContext&, const upstream::v1::ManageUpstreamsRequest& request) {
  absl::MutexLock lock(&mutex_);
  last_command_ = request;
  if (!failure_.ok()) co_return failure_;
  upstream::v1::ManageUpstreamsResponse response;
  response.mutable_job()->set_id("1");
  response.mutable_job()->set_state(upstream::v1::UpstreamJob::RUNNING);
  co_return response;
}

}  // namespace entrepot::gateway::api
