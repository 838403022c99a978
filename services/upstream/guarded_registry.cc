#include "services/upstream/guarded_registry.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/log/json_log.h"
#include "services/status/oci_error.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

// Whether the failure tells that the upstream as a whole does not respond. An answer that makes no sense may concern
// one repository.
bool IsFailureOfUpstream(UpstreamFailure failure) {
  return failure == UpstreamFailure::kUnavailable || failure == UpstreamFailure::kRateLimited;
}

// A 404 of the upstream with that code in place of NAME_UNKNOWN.
absl::Status WithCode(OciErrorCode code, const absl::Status& status) {
  if (FailureOf(status) != UpstreamFailure::kNotFound) return status;
  absl::Status coded = OciError(code, status.message(), GetOciErrorDetail(status));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    // By a string: a copy of a Cord needs a library of Abseil that nothing else here needs.
    if (!coded.GetPayload(url).has_value()) coded.SetPayload(url, absl::Cord(std::string(payload)));
  });
  return coded;
}
template <typename T>
absl::StatusOr<T> WithCode(OciErrorCode code, absl::StatusOr<T> result) {
  if (!result.ok()) return WithCode(code, result.status());
  return result;
}

}  // namespace

GuardedRegistry::GuardedRegistry(config::v1::Upstream config, std::shared_ptr<UpstreamRegistry> registry,
                                 const Clock* clock, UpstreamMetrics* metrics)
    : config_(std::move(config)), registry_(std::move(registry)), metrics_(*metrics), breaker_(clock) {}

absl::Status GuardedRegistry::health() const {
  if (breaker_.closed()) return absl::OkStatus();
  const absl::MutexLock lock(&mutex_);
  return UpstreamError(UpstreamFailure::kUnavailable, reason_, breaker_.wait());
}

std::optional<std::string> GuardedRegistry::pause_reason() const {
  if (due()) return std::nullopt;
  const absl::MutexLock lock(&mutex_);
  return reason_;
}

template <typename Call>
auto GuardedRegistry::Guard(Call call) -> decltype(call()) {
  if (!breaker_.Allow()) {
    if (absl::Status status = health(); !status.ok()) return status;
    // It responds again since.
  }
  requests_.fetch_add(1, std::memory_order_relaxed);
  const Stopwatch stopwatch;
  auto result = call();
  NoteResult(result.status(), stopwatch.Elapsed());
  return result;
}

void GuardedRegistry::NoteResult(const absl::Status& status, absl::Duration took) {
  if (status.ok()) return NoteSuccess();
  const std::optional<UpstreamFailure> failure = FailureOf(status);
  if (!failure.has_value() || IsNotSent(status)) return breaker_.Neither();
  // The client keeps to the wait that a 429 asks for, and sends requests of other kinds meanwhile, such as HEADs.
  if (failure == UpstreamFailure::kRateLimited && UpstreamRetryAfter(status).has_value()) return breaker_.Neither();
  if (!IsFailureOfUpstream(*failure)) return NoteSuccess();
  {
    const absl::MutexLock lock(&mutex_);
    reason_ = std::string(status.message());
  }
  if (!breaker_.Failed(took, UpstreamRetryAfter(status))) return;
  metrics_.SetUp(config_.name(), false);
  runtime::Log(runtime::LogLevel::kWarning, "an upstream fails and is not asked for some time",
               {{"upstream", config_.name()}, {"error", status.message()}});
}

void GuardedRegistry::NoteSuccess() {
  if (!breaker_.Succeeded()) return;
  metrics_.SetUp(config_.name(), true);
  runtime::Log(runtime::LogLevel::kInfo, "an upstream responds again", {{"upstream", config_.name()}});
}

absl::StatusOr<UpstreamManifest> GuardedRegistry::HeadManifest(const std::string& repository,
                                                               const Reference& reference) {
  return WithCode(OciErrorCode::kManifestUnknown,
                  Guard([&] { return registry_->HeadManifest(repository, reference); }));
}

absl::StatusOr<UpstreamManifest> GuardedRegistry::GetManifest(const std::string& repository,
                                                              const Reference& reference) {
  absl::StatusOr<UpstreamManifest> manifest = Guard([&]() -> absl::StatusOr<UpstreamManifest> {
    const Stopwatch stopwatch;
    absl::StatusOr<UpstreamManifest> got = registry_->GetManifest(repository, reference);
    // It is returned as a whole, and is small.
    if (got.ok()) metrics_.ObserveFirstByte(config_.name(), "manifest", stopwatch.Elapsed());
    return got;
  });
  if (manifest.ok()) bytes_fetched_.fetch_add(manifest->content.size(), std::memory_order_relaxed);
  return WithCode(OciErrorCode::kManifestUnknown, std::move(manifest));
}

absl::StatusOr<UpstreamBlobHead> GuardedRegistry::HeadBlob(const std::string& repository, const Digest& digest) {
  return WithCode(OciErrorCode::kBlobUnknown, Guard([&] { return registry_->HeadBlob(repository, digest); }));
}

absl::Status GuardedRegistry::GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                                      const BlobSink& sink) {
  bool answered = false;
  bool began = false;
  const Stopwatch stopwatch;
  const BlobSink counting = {.on_head =
                                 [&](const UpstreamBlobHead& head) {
                                   answered = true;
                                   NoteSuccess();
                                   return sink.on_head(head);
                                 },
                             .on_bytes =
                                 [&](absl::string_view bytes) {
                                   if (!std::exchange(began, true)) {
                                     metrics_.ObserveFirstByte(config_.name(), "blob", stopwatch.Elapsed());
                                   }
                                   bytes_fetched_.fetch_add(bytes.size(), std::memory_order_relaxed);
                                   return sink.on_bytes(bytes);
                                 }};
  if (offset_bytes == 0 && !breaker_.Allow()) {
    if (absl::Status status = health(); !status.ok()) return status;
  }
  requests_.fetch_add(1, std::memory_order_relaxed);
  absl::Status status = registry_->GetBlob(repository, digest, offset_bytes, counting);
  // A connection that breaks in the middle of a body is no upstream that does not respond.
  if (!answered) NoteResult(status, stopwatch.Elapsed());
  return WithCode(OciErrorCode::kBlobUnknown, status);
}

absl::StatusOr<std::vector<std::string>> GuardedRegistry::ListTags(const std::string& repository, size_t tags_max) {
  return Guard([&] { return registry_->ListTags(repository, tags_max); });
}

absl::StatusOr<std::vector<Referrer>> GuardedRegistry::ListReferrers(const std::string& repository,
                                                                     const Digest& subject) {
  return Guard([&] { return registry_->ListReferrers(repository, subject); });
}

}  // namespace entrepot::upstream
