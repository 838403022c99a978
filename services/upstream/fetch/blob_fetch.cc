#include "services/upstream/fetch/blob_fetch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kPauseMax = absl::Seconds(5);
// The longest wait that an upstream may ask for: readers have no byte yet, or wait in the middle of the blob.
constexpr absl::Duration kFirstWaitMax = absl::Seconds(2);
constexpr absl::Duration kWaitMax = absl::Seconds(30);

constexpr size_t kCopyBytes = 65536;
// Bytes go to the store in pieces of this size, as those of pushes do. libcurl gives 16 KiB at a time: a file that is
// written like that takes sixteen times as many steps to send later.
constexpr size_t kStorePieceBytes = 256 << 10;

// How often a fetch looks whether another process has stored the blob or has given up. The first
// look is soon, for small blobs. Later ones are rare, because each costs a call for each blob that is fetched
// elsewhere.
constexpr absl::Duration kFirstLook = absl::Milliseconds(200);
constexpr absl::Duration kLookInterval = absl::Seconds(1);

absl::Status Stopped() { return absl::CancelledError("the registry is stopping"); }

}  // namespace

BlobFetch::BlobFetch(CacheStore* store, ClaimKeeper* claims, FetchMetrics* metrics, StopSignal* stop,
                     std::shared_ptr<UpstreamRegistry> upstream, const CachedRepository& repository,
                     const Digest& digest, const Options& options)
    : store_(store),
      claims_(claims),
      metrics_(metrics),
      counters_(metrics->Of(repository.upstream)),
      stop_(stop),
      upstream_(std::move(upstream)),
      repository_(repository),
      digest_(digest),
      options_(options),
      digester_(digest.algorithm()),
      wait_(kFirstLook, kLookInterval, random_) {}

BlobFetch::Next BlobFetch::Begin(bool may_run) {
  absl::StatusOr<Next> next = FindOrClaim(may_run);
  if (!next.ok()) {
    Fail(next.status());
    next = Next::kEnded;
  }
  if (*next == Next::kAwait && may_run && !std::exchange(awaits_, true)) counters_.awaited_fetches->Increment();
  if (*next != Next::kFetch) claim_.reset();
  return *next;
}

absl::StatusOr<BlobFetch::Next> BlobFetch::FindOrClaim(bool may_run) {
  if (stop_->stopped()) return Stopped();
  if (may_run) {
    ASSIGN_OR_RETURN(claim_, claims_->Take(repository_.upstream, digest_));
  }
  // After the claim: the process that had it before may have stored the blob.
  const absl::StatusOr<Blob> stored = store_->FindBlob(repository_.repository, digest_);
  if (stored.ok()) {
    progress_->EndStored(stored->size_bytes);
    return Next::kEnded;
  }
  if (!absl::IsNotFound(stored.status())) return stored.status();
  return claim_ != nullptr ? Next::kFetch : Next::kAwait;
}

void BlobFetch::Run() {
  absl::Status status = Fetch();
  writer_.reset();
  if (!status.ok()) Fail(std::move(status));
  // After the end, for which readers wait.
  claim_.reset();
}

void BlobFetch::Fail(absl::Status status) {
  if (!absl::IsCancelled(status)) {
    const std::optional<UpstreamFailure> failure = FailureOf(status);
    const absl::string_view kind = failure.has_value() ? ToString(*failure) : "store";
    metrics_->CountFailure(repository_.upstream, kind);
    runtime::LogLimited(runtime::LogLevel::kWarning, "fetching a blob failed",
                        absl::StrCat(repository_.upstream, " ", kind),
                        {{"upstream", repository_.upstream},
                         {"repository", repository_.repository.ToString()},
                         {"digest", digest_.ToString()},
                         {"bytes", spooled_bytes()},
                         {"error", status.message()}});
  }
  progress_->EndFailed(std::move(status));
}

absl::Status BlobFetch::Fetch() {
  const UpstreamRegistry::BlobSink sink = {
      .on_head = [this](const UpstreamBlobHead& head) { return OnHead(head); },
      .on_bytes =
          [this](absl::string_view bytes) {
            counters_.fetched_bytes->Increment(static_cast<double>(bytes.size()));
            return OnBytes(bytes);
          },
  };
  if (other_ != nullptr) {
    RETURN_IF_ERROR(CopyOther());
    other_.reset();
    if (stop_->stopped()) return Stopped();
    if (IsComplete()) return Commit();
  }
  for (;;) {
    const uint64_t before = spooled_bytes();
    if (before > 0) counters_.resumptions->Increment();
    absl::Status status = upstream_->GetBlob(repository_.name_at_upstream, digest_, before, sink);
    RETURN_IF_ERROR(refusal_);
    if (stop_->stopped()) return Stopped();
    if (IsComplete()) return Commit();
    if (IsWrong()) return Invalid("its bytes have another digest");
    if (spooled_bytes() > before) {
      fruitless_ = 0;
      ended_whole_ = status.ok();
      backoff_.reset();
    } else {
      ++fruitless_;
    }
    if (status.ok()) {
      status = Invalid(size_bytes_.has_value()
                           ? absl::StrCat("its body ended after ", spooled_bytes(), " of ", *size_bytes_, " bytes")
                           : absl::StrCat("its body ended after ", spooled_bytes(), " bytes with another digest"));
    }
    RETURN_IF_ERROR(AwaitNextRequest(status));
  }
}

absl::Status BlobFetch::CopyOther() {
  const absl::StatusOr<UpstreamBlobHead> head = upstream_->HeadBlob(repository_.name_at_upstream, digest_);
  // What an error means for this fetch is decided by the GET that follows.
  if (!head.ok() || !OnHead({.size_bytes = head->size_bytes}).ok()) return refusal_;
  const std::unique_ptr<FetchReader> reader = other_->NewReader();
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    const bool stored = reader->stored();
    const absl::StatusOr<size_t> count = reader->Read(spooled_bytes(), buffer.data(), buffer.size());
    if (!count.ok()) return absl::OkStatus();
    if (*count > 0) {
      RETURN_IF_ERROR(OnBytes(absl::string_view(buffer).substr(0, *count)));
      continue;
    }
    if (stored) return absl::OkStatus();
    // Stop() ends the other fetch, and so this wait.
    const auto ready = std::make_shared<absl::Notification>();
    reader->WhenReadable(spooled_bytes(), [ready] { ready->Notify(); });
    ready->WaitForNotification();
  }
}

bool BlobFetch::IsComplete() const {
  // Without an answer even the empty blob is not known to be there.
  if (writer_ == nullptr) return false;
  if (size_bytes_.has_value() && *size_bytes_ != spooled_bytes()) return false;
  return digester_.Current() == digest_;
}

absl::Status BlobFetch::AwaitNextRequest(const absl::Status& status) {
  const std::optional<UpstreamFailure> failure = FailureOf(status);
  if (!failure.has_value() || *failure == UpstreamFailure::kNotFound || *failure == UpstreamFailure::kDenied) {
    return status;
  }
  const bool first = spooled_bytes() == 0;
  if (first && *failure == UpstreamFailure::kRateLimited) return status;
  // A whole body that is wrong is most likely wrong, and not short.
  const int fruitless_max = first ? 2 : ended_whole_ && !size_bytes_.has_value() ? 1 : options_.resumptions_max;
  if (fruitless_ >= fruitless_max) return status;
  if (!backoff_.has_value()) {
    const absl::Duration pause = std::clamp(options_.resumption_pause, absl::Microseconds(1), kPauseMax);
    backoff_.emplace(pause, kPauseMax, random_);
  }
  const absl::Duration asked = UpstreamRetryAfter(status).value_or(absl::ZeroDuration());
  if (asked > (first ? kFirstWaitMax : kWaitMax)) return status;
  return stop_->WaitFor(std::max(backoff_->Next(), asked)) ? Stopped() : absl::OkStatus();
}

absl::Status BlobFetch::StoreGathered() {
  const std::string bytes = std::exchange(gathered_, {});
  return bytes.empty() ? absl::OkStatus() : writer_->Append(bytes);
}

absl::Status BlobFetch::Commit() {
  RETURN_IF_ERROR(StoreGathered());
  absl::Status status = writer_->Commit();
  if (absl::IsInvalidArgument(status)) {
    // The bytes were right when they left this thread, so the client's request was.
    status = OciError(OciErrorCode::kUnavailable, absl::StrCat("storing a blob: ", status.message()));
  }
  RETURN_IF_ERROR(status);
  progress_->EndStored(spooled_bytes());
  return absl::OkStatus();
}

absl::Status BlobFetch::OnHead(const UpstreamBlobHead& head) {
  if (stop_->stopped()) return Refuse(Stopped());
  if (head.offset_bytes > spooled_bytes()) return Refuse(Invalid("its answer begins behind the requested byte"));
  if (head.size_bytes.has_value()) {
    // Not a refusal: the next answer may be better.
    if (*head.size_bytes == 0 && digester_.length_bytes() == 0 && digester_.Current() != digest_) {
      return Invalid("its body is empty");
    }
    if (size_bytes_.has_value() && *size_bytes_ != *head.size_bytes) {
      return Refuse(
          Invalid(absl::StrCat("it stated a size of ", *size_bytes_, " bytes, and then of ", *head.size_bytes)));
    }
    if (*head.size_bytes < spooled_bytes()) return Refuse(Invalid("it has sent more bytes than it states"));
    if (*head.size_bytes > options_.blob_bytes_max) return Refuse(Invalid("it is larger than a blob may be"));
  }
  if (spool_ == nullptr) {
    auto spool = SpoolFile::Create(options_.spool_directory);
    if (!spool.ok()) return Refuse(spool.status());
    spool_ = spool->get();
    progress_->SetSpool(*std::move(spool));
  }
  if (writer_ == nullptr) {
    auto writer = store_->WriteBlob(repository_.repository, repository_.upstream, digest_);
    if (!writer.ok()) return Refuse(writer.status());
    writer_ = *std::move(writer);
  }
  if (head.size_bytes.has_value() && !size_bytes_.has_value()) {
    size_bytes_ = head.size_bytes;
    // Readers learn of the size with the first bytes, so that each of two hundred is resumed once before its first
    // byte.
    if (*size_bytes_ == 0) progress_->SetSize(0);
  }
  position_bytes_ = head.offset_bytes;
  return absl::OkStatus();
}

absl::Status BlobFetch::OnBytes(absl::string_view bytes) {
  if (stop_->stopped()) return Refuse(Stopped());
  if (spool_ == nullptr) return Refuse(Invalid("its body came before its head"));
  RETURN_IF_ERROR(SkipKnown(&bytes));
  if (bytes.empty()) return absl::OkStatus();
  if (bytes.size() > size_bytes_.value_or(options_.blob_bytes_max) - spooled_bytes()) {
    return Refuse(
        Invalid(size_bytes_.has_value() ? "it sent more bytes than it stated" : "it is larger than a blob may be"));
  }
  if (absl::Status status = spool_->Append(bytes); !status.ok()) return Refuse(std::move(status));
  position_bytes_ = spooled_bytes();
  progress_->Publish(spooled_bytes(), size_bytes_);
  digester_.Update(bytes);
  if (gathered_.empty()) {
    gathered_.reserve(std::min<uint64_t>(kStorePieceBytes, size_bytes_.value_or(kStorePieceBytes)));
  }
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kStorePieceBytes - gathered_.size());
    gathered_.append(piece.data(), piece.size());
    bytes.remove_prefix(piece.size());
    if (gathered_.size() < kStorePieceBytes) break;
    if (absl::Status status = writer_->Append(gathered_); !status.ok()) return Refuse(std::move(status));
    gathered_.clear();
  }
  return absl::OkStatus();
}

absl::Status BlobFetch::SkipKnown(absl::string_view* bytes) {
  std::array<char, 16384> known;
  while (!bytes->empty() && position_bytes_ < spooled_bytes()) {
    const size_t size =
        static_cast<size_t>(std::min<uint64_t>({known.size(), bytes->size(), spooled_bytes() - position_bytes_}));
    if (absl::Status status = spool_->Read(position_bytes_, known.data(), size); !status.ok()) {
      return Refuse(std::move(status));
    }
    if (std::memcmp(known.data(), bytes->data(), size) != 0) {
      return Refuse(Invalid("after a restart from the first byte it sent other bytes"));
    }
    position_bytes_ += size;
    bytes->remove_prefix(size);
  }
  return absl::OkStatus();
}

absl::Status BlobFetch::Refuse(absl::Status status) {
  refusal_ = status;
  return status;
}

absl::Status BlobFetch::Invalid(absl::string_view problem) const {
  return UpstreamError(UpstreamFailure::kInvalid,
                       absl::StrCat("the upstream ", repository_.upstream, " does not send the blob ",
                                    digest_.ToString(), ": ", problem));
}

}  // namespace entrepot::upstream
