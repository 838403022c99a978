#include "services/upstream/upstream_cache.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/tag.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/executor.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"
#include "services/upstream/freshness.h"
#include "services/upstream/guarded_registry.h"
#include "services/upstream/list_cache.h"
#include "services/upstream/negative_answers.h"
#include "services/upstream/registry/upstream_error.h"
#include "services/upstream/shared_calls.h"
#include "services/upstream/upstream_calls.h"
#include "services/upstream/upstream_metrics.h"
#include "services/upstream/upstream_set.h"

namespace entrepot::upstream {
namespace {

// How long a refusal (401, 403) is remembered: it may end with new credentials.
constexpr absl::Duration kDeniedLifetime = absl::Seconds(10);
constexpr absl::Duration kReferrersLifetime = absl::Minutes(1);
// These threads ask upstreams for tags, while clients wait for the answer or after they were served.
constexpr size_t kRefreshThreads = 32;
constexpr size_t kTagsMax = 100'000;
constexpr size_t kListBytesMax = 16 << 20;
// How long a HEAD of a blob waits for a size that the upstream does not tell.
constexpr std::chrono::seconds kSizePatience{10};

using TagList = std::vector<std::string>;
using ReferrerList = std::vector<Referrer>;

template <typename Value>
using Shared = absl::StatusOr<std::shared_ptr<const Value>>;

// A cached repository of an upstream that the file has.
struct Place {
  CachedRepository cached;
  std::shared_ptr<GuardedRegistry> upstream;

  const config::v1::Upstream& config() const { return upstream->config(); }
  const RepositoryName& repository() const { return cached.repository; }
  const std::string& name() const { return cached.name_at_upstream; }
};

std::string Key(const RepositoryName& repository, absl::string_view of) {
  return absl::StrCat(repository.ToString(), " ", of);
}

ResolvedManifest Stored(const StoredManifest& manifest) {
  return {.digest = manifest.digest,
          .media_type = manifest.media_type,
          .size_bytes = manifest.size_bytes,
          .stored = true,
          .stale_reason = "",
          .age = absl::ZeroDuration()};
}

absl::Status NotConfigured(const RepositoryName& repository) {
  return OciError(OciErrorCode::kNameUnknown,
                  absl::StrCat("no upstream is configured for the repository ", QuotedInput(repository.ToString())));
}

size_t BytesOf(const TagList& tags) {
  size_t bytes = tags.capacity() * sizeof(std::string);
  for (const std::string& tag : tags) bytes += tag.capacity();
  return bytes;
}

size_t BytesOf(const ReferrerList& referrers) {
  constexpr size_t kEach = 512;
  size_t bytes = 0;
  for (const Referrer& referrer : referrers) {
    bytes += kEach + referrer.media_type.size() + referrer.artifact_type.size();
    for (const auto& [name, value] : referrer.annotations) bytes += kEach + name.size() + value.size();
  }
  return bytes;
}

TagPage PageOf(const TagList& sorted, size_t limit, absl::string_view last) {
  TagPage page;
  auto tag = std::upper_bound(sorted.begin(), sorted.end(), last);
  for (; tag != sorted.end() && page.tags.size() < limit; ++tag) page.tags.push_back(*tag);
  page.more = tag != sorted.end();
  return page;
}

class CacheImpl final : public UpstreamCache {
 public:
  CacheImpl(const UpstreamsFile* upstreams, CacheStore* store, const Clock* clock, const Options& options,
            std::unique_ptr<Freshness> freshness, std::unique_ptr<BlobFetches> fetches)
      : upstreams_(*upstreams),
        store_(*store),
        clock_(*clock),
        patience_(absl::ToChronoNanoseconds(options.confirmation_patience)),
        metrics_(options.registry),
        set_(upstreams, options.make_registry, clock, &metrics_),
        freshness_(std::move(freshness)),
        fetches_(std::move(fetches)) {}

  ~CacheImpl() override { Stop(); }

  absl::StatusOr<ResolvedManifest> ResolveManifest(const RepositoryName& repository, const Reference& reference,
                                                   bool metadata_only) override;
  std::optional<RecalledTag> RecallTag(const RepositoryName& repository, const Tag& tag) override;
  void CountRecalled(const RepositoryName& repository, const RecalledCount& count) override;
  absl::StatusOr<v1::FindUpstreamBlobResponse> FindBlob(const RepositoryName& repository, const Digest& digest,
                                                        const std::string& client) override;
  absl::StatusOr<std::variant<StoredBlob, std::unique_ptr<FetchReader>>> OpenBlob(const RepositoryName& repository,
                                                                                  const Digest& digest,
                                                                                  const std::string& client) override;
  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) override;
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const RepositoryName& repository, const Digest& subject) override;
  v1::UpstreamList Status() const override;
  uint64_t BytesFetched(absl::string_view upstream) const override;
  void Stop() override;

 private:
  using Manifest = absl::StatusOr<ResolvedManifest>;
  struct Answer {
    Manifest manifest;
    ResolveResult result = ResolveResult::kFailed;
  };
  struct StoredTag {
    StoredManifest manifest;
    // What the upstream said of it; nullopt if that is not known.
    std::optional<CachedTag> known;
  };

  // nullopt: the file has no such upstream (any more).
  absl::StatusOr<std::optional<Place>> Locate(const RepositoryName& repository);
  absl::StatusOr<std::optional<StoredManifest>> FindStored(const RepositoryName& repository, const Reference& reference,
                                                           bool metadata_only);
  absl::StatusOr<std::optional<Blob>> FindStoredBlob(const RepositoryName& repository, const Digest& digest);

  Answer Resolve(const Place& place, const Reference& reference, bool metadata_only);
  Answer ResolveDigest(const Place& place, const Digest& digest, bool metadata_only);
  Answer ResolveTag(const Place& place, const Tag& tag, bool metadata_only);
  // A tag of which nothing is stored.
  Answer ResolveAbsentTag(const Place& place, const Tag& tag, bool metadata_only);
  // A tag that was confirmed lately, perhaps by a HEAD only. nullopt: the upstream must be asked.
  std::optional<Answer> FromMemory(const Place& place, const Tag& tag, bool metadata_only);
  Answer ConfirmTag(const Place& place, const Tag& tag, const StoredTag& stored);
  Answer ServeStale(const Place& place, const StoredTag& stored, const absl::Status& why);

  Answer Ask(const Place& place, const Reference& reference, bool metadata_only);
  Manifest AskNow(const Place& place, const Reference& reference, bool metadata_only);
  std::optional<ResolvedManifest> AskByHead(const Place& place, const Reference& reference, absl::Status* failure);
  std::shared_ptr<SharedCalls<Manifest>::Call> StartRefresh(const Place& place, const Tag& tag,
                                                            const StoredTag& stored);
  Manifest Refresh(const Place& place, const Tag& tag, const StoredTag& stored);
  Manifest RefreshNow(const Place& place, const Tag& tag, const StoredTag& stored);
  void NoteFailure(const Place& place, const Tag& tag, const StoredTag& stored, const absl::Status& status);
  // Stores the manifest, with the tag if the reference is one, and with the tags that await it.
  Manifest Keep(const Place& place, const Reference& reference, const std::string& media_type,
                const std::string& content, const Digest& digest);
  void Confirm(const Place& place, const Tag& tag, const ResolvedManifest& manifest);
  void RememberNegative(const Place& place, const std::string& key, const absl::Status& status);
  absl::Duration AgeOf(const CachedTag& known) const { return clock_.Now() - known.confirmed_at; }
  // For how long the tag is trusted from now on; not positive if it must be confirmed.
  absl::Duration TrustLeft(const config::v1::Upstream& upstream, const RepositoryName& repository, const Tag& tag,
                           const CachedTag& known) const;
  bool IsTrusted(const Place& place, const Tag& tag, const CachedTag& known) const {
    return TrustLeft(place.config(), place.repository(), tag, known) > absl::ZeroDuration();
  }
  // Whether it is served as fresh while the upstream is asked.
  bool IsServableMeanwhile(const config::v1::Upstream& upstream, const CachedTag& known) const;
  // ResolvedManifest::valid_for.
  absl::Duration ValidFor(const Place& place, const Tag& tag, const ResolvedManifest& manifest);

  const UpstreamsFile& upstreams_;
  CacheStore& store_;
  const Clock& clock_;
  const std::chrono::nanoseconds patience_;
  UpstreamMetrics metrics_;
  mutable UpstreamSet set_;
  const std::unique_ptr<Freshness> freshness_;
  NegativeAnswers negatives_{&clock_};
  ListCache<TagList> tag_lists_{kListBytesMax};
  ListCache<ReferrerList> referrer_lists_{kListBytesMax};
  SharedCalls<Manifest> manifest_calls_;
  SharedCalls<Shared<TagList>> tag_list_calls_;
  SharedCalls<Shared<ReferrerList>> referrer_list_calls_;
  const std::unique_ptr<BlobFetches> fetches_;
  // Declared after all that its jobs use, so that it is destroyed first.
  runtime::Executor refreshes_{kRefreshThreads};
  UpstreamCalls refresh_calls_{&refreshes_};
};

// Manifests -----------------------------------------------------------------------------------------------------------

absl::StatusOr<std::optional<Place>> CacheImpl::Locate(const RepositoryName& repository) {
  const std::shared_ptr<const UpstreamsSnapshot> snapshot = upstreams_.current();
  ASSIGN_OR_RETURN(std::optional<CachedRepository> cached, snapshot->names.ByPath(repository));
  if (!cached.has_value()) return std::nullopt;
  std::shared_ptr<GuardedRegistry> upstream = set_.Find(cached->upstream);
  if (upstream == nullptr) return std::nullopt;
  return Place{.cached = *std::move(cached), .upstream = std::move(upstream)};
}

absl::StatusOr<std::optional<StoredManifest>> CacheImpl::FindStored(const RepositoryName& repository,
                                                                    const Reference& reference, bool metadata_only) {
  absl::StatusOr<StoredManifest> found = store_.FindManifest(repository, reference, metadata_only);
  if (found.ok()) return *std::move(found);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  return found.status();
}

absl::StatusOr<ResolvedManifest> CacheImpl::ResolveManifest(const RepositoryName& repository,
                                                            const Reference& reference, bool metadata_only) {
  ASSIGN_OR_RETURN(const std::optional<Place> place, Locate(repository));
  if (!place.has_value()) {
    ASSIGN_OR_RETURN(const std::optional<StoredManifest> stored, FindStored(repository, reference, true));
    if (!stored.has_value()) return NotConfigured(repository);
    ResolvedManifest manifest = Stored(*stored);
    if (std::holds_alternative<Tag>(reference)) manifest.stale_reason = "no upstream is configured for the repository";
    return manifest;
  }
  Answer answer = Resolve(*place, reference, metadata_only);
  metrics_.CountResolve(place->cached.upstream, answer.result);
  if (const Tag* const tag = std::get_if<Tag>(&reference); tag != nullptr && answer.manifest.ok()) {
    answer.manifest->valid_for = ValidFor(*place, *tag, *answer.manifest);
  }
  return std::move(answer.manifest);
}

CacheImpl::Answer CacheImpl::Resolve(const Place& place, const Reference& reference, bool metadata_only) {
  if (const Digest* const digest = std::get_if<Digest>(&reference)) return ResolveDigest(place, *digest, metadata_only);
  const Tag& tag = std::get<Tag>(reference);
  for (const config::v1::PinnedTag& pin : place.config().pins()) {
    if (pin.repository() != place.name() || pin.tag() != tag.ToString()) continue;
    const absl::StatusOr<Digest> digest = Digest::Parse(pin.digest());
    if (!digest.ok()) return {digest.status()};
    return ResolveDigest(place, *digest, metadata_only);
  }
  return ResolveTag(place, tag, metadata_only);
}

CacheImpl::Answer CacheImpl::ResolveDigest(const Place& place, const Digest& digest, bool metadata_only) {
  const absl::StatusOr<std::optional<StoredManifest>> stored = FindStored(place.repository(), digest, true);
  if (!stored.ok()) return {stored.status()};
  if (stored->has_value()) return {Stored(**stored), ResolveResult::kHit};
  return Ask(place, digest, metadata_only);
}

CacheImpl::Answer CacheImpl::ResolveTag(const Place& place, const Tag& tag, bool metadata_only) {
  const absl::StatusOr<std::optional<StoredManifest>> found = FindStored(place.repository(), tag, true);
  if (!found.ok()) return {found.status()};
  if (!found->has_value()) return ResolveAbsentTag(place, tag, metadata_only);
  StoredTag stored{.manifest = **found, .known = freshness_->Find(place.repository(), tag)};
  // The catalog's record decides. If `known` has another digest, it is older.
  if (stored.known.has_value() && stored.known->digest != stored.manifest.digest) stored.known.reset();
  if (stored.known.has_value() && IsTrusted(place, tag, *stored.known)) {
    ResolvedManifest manifest = Stored(stored.manifest);
    manifest.age = AgeOf(*stored.known);
    return {manifest, ResolveResult::kHit};
  }
  return ConfirmTag(place, tag, stored);
}

absl::Duration CacheImpl::TrustLeft(const config::v1::Upstream& upstream, const RepositoryName& repository,
                                    const Tag& tag, const CachedTag& known) const {
  const absl::Duration age = AgeOf(known);
  // A clock that was set back does not make a tag trusted for longer.
  if (age < absl::ZeroDuration()) return absl::ZeroDuration();
  return TrustedFor(runtime::ToDuration(upstream.tag_ttl()), repository, tag, known) - age;
}

absl::Duration CacheImpl::ValidFor(const Place& place, const Tag& tag, const ResolvedManifest& manifest) {
  if (!manifest.stored) return absl::ZeroDuration();
  if (!manifest.stale_reason.empty()) return kStaleAnswerLifetime;
  const std::optional<CachedTag> known = freshness_->FindInMemory(place.repository(), tag);
  if (!known.has_value() || known->digest != manifest.digest) return absl::ZeroDuration();
  return std::clamp(TrustLeft(place.config(), place.repository(), tag, *known), absl::ZeroDuration(),
                    kFreshAnswerLifetime);
}

bool CacheImpl::IsServableMeanwhile(const config::v1::Upstream& upstream, const CachedTag& known) const {
  const absl::Duration age = AgeOf(known);
  const absl::Duration servable =
      runtime::ToDuration(upstream.tag_ttl()) + runtime::ToDuration(upstream.stale_while_revalidate());
  return age >= absl::ZeroDuration() && age < servable && known.stale_reason.empty();
}

std::optional<RecalledTag> CacheImpl::RecallTag(const RepositoryName& repository, const Tag& tag) {
  const absl::string_view name = repository.ToString();
  const size_t slash = name.find('/');
  if (slash == absl::string_view::npos) return std::nullopt;
  const std::shared_ptr<GuardedRegistry> upstream = set_.FindReady(name.substr(0, slash));
  if (upstream == nullptr) return std::nullopt;
  const config::v1::Upstream& config = upstream->config();
  for (const config::v1::PinnedTag& pin : config.pins()) {
    if (pin.tag() == tag.ToString() && pin.repository() == name.substr(slash + 1)) return std::nullopt;
  }
  std::optional<CachedTag> known = freshness_->FindInMemory(repository, tag);
  if (!known.has_value()) return std::nullopt;
  const absl::Duration age = AgeOf(*known);
  if (TrustLeft(config, repository, tag, *known) > absl::ZeroDuration()) {
    return RecalledTag{.digest = std::move(known->digest), .age = age};
  }
  // As ConfirmTag() and ServeStale(), as far as they ask for nothing.
  std::optional<std::string> stale_reason;
  if (const std::optional<absl::Status> negative = negatives_.Find(Key(repository, tag.ToString()))) {
    stale_reason = std::string(negative->message());
  } else if (!IsServableMeanwhile(config, *known)) {
    stale_reason = upstream->pause_reason();
  }
  if (!stale_reason.has_value()) return std::nullopt;
  if (config.has_stale_max() && age > runtime::ToDuration(config.stale_max())) return std::nullopt;
  return RecalledTag{.digest = std::move(known->digest),
                     .stale_reason = *std::move(stale_reason),
                     .age = std::max(absl::ZeroDuration(), age)};
}

void CacheImpl::CountRecalled(const RepositoryName& repository, const RecalledCount& count) {
  const std::string& name = repository.ToString();
  const absl::string_view upstream = absl::string_view(name).substr(0, name.find('/'));
  metrics_.CountResolve(upstream, ResolveResult::kHit, count.fresh);
  metrics_.CountResolve(upstream, ResolveResult::kStale, count.stale);
}

CacheImpl::Answer CacheImpl::ConfirmTag(const Place& place, const Tag& tag, const StoredTag& stored) {
  const std::string key = Key(place.repository(), tag.ToString());
  if (const std::optional<absl::Status> negative = negatives_.Find(key); negative.has_value()) {
    return ServeStale(place, stored, *negative);
  }
  if (stored.known.has_value() && IsServableMeanwhile(place.config(), *stored.known)) {
    StartRefresh(place, tag, stored);
    ResolvedManifest manifest = Stored(stored.manifest);
    manifest.age = AgeOf(*stored.known);
    return {manifest, ResolveResult::kHit};
  }
  // While the upstream fails, clients do not wait for it: not even for the probe whether it responds again.
  if (const absl::Status health = place.upstream->health(); !health.ok()) {
    if (place.upstream->due()) StartRefresh(place, tag, stored);
    return ServeStale(place, stored, health);
  }
  const std::optional<Manifest> confirmed = StartRefresh(place, tag, stored)->WaitFor(patience_);
  if (!confirmed.has_value()) {
    return ServeStale(place, stored,
                      UpstreamError(UpstreamFailure::kUnavailable,
                                    absl::StrCat("the upstream ", place.cached.upstream, " has not answered in time")));
  }
  if (!confirmed->ok()) return ServeStale(place, stored, confirmed->status());
  return {*confirmed, ResolveResult::kRevalidated};
}

CacheImpl::Answer CacheImpl::ServeStale(const Place& place, const StoredTag& stored, const absl::Status& why) {
  ResolvedManifest manifest = Stored(stored.manifest);
  manifest.stale_reason = std::string(why.message());
  if (stored.known.has_value()) manifest.age = std::max(absl::ZeroDuration(), AgeOf(*stored.known));
  if (place.config().has_stale_max() && manifest.age > runtime::ToDuration(place.config().stale_max())) {
    return {why, ResolveResult::kFailed};
  }
  return {manifest, ResolveResult::kStale};
}

std::shared_ptr<SharedCalls<absl::StatusOr<ResolvedManifest>>::Call> CacheImpl::StartRefresh(const Place& place,
                                                                                             const Tag& tag,
                                                                                             const StoredTag& stored) {
  const std::string key = Key(place.repository(), absl::StrCat(tag.ToString(), " refresh"));
  auto [call, is_first] = manifest_calls_.Join(key);
  if (is_first) {
    refresh_calls_.Post(key, /*client=*/"", [this, key, place, tag, stored, call = call](const absl::Status& turn) {
      manifest_calls_.Finish(key, *call, turn.ok() ? Refresh(place, tag, stored) : Manifest(turn));
    });
  }
  return call;
}

absl::StatusOr<ResolvedManifest> CacheImpl::Refresh(const Place& place, const Tag& tag, const StoredTag& stored) {
  // Another refresh may have ended after the caller had looked.
  const std::optional<CachedTag> known = freshness_->Find(place.repository(), tag);
  if (known.has_value() && IsTrusted(place, tag, *known)) {
    const absl::StatusOr<std::optional<StoredManifest>> found = FindStored(place.repository(), tag, true);
    if (found.ok() && found->has_value() && (*found)->digest == known->digest) return Stored(**found);
  }
  Manifest manifest = RefreshNow(place, tag, stored);
  if (!manifest.ok()) NoteFailure(place, tag, stored, manifest.status());
  return manifest;
}

absl::StatusOr<ResolvedManifest> CacheImpl::RefreshNow(const Place& place, const Tag& tag, const StoredTag& stored) {
  ResolvedManifest now = Stored(stored.manifest);
  const absl::StatusOr<UpstreamManifest> head = place.upstream->HeadManifest(place.name(), tag);
  if (head.ok() && head->digest == now.digest) {
    Confirm(place, tag, now);
    return now;
  }
  if (head.ok()) {
    // Another tag may have brought it here.
    ASSIGN_OR_RETURN(const std::optional<StoredManifest> here, FindStored(place.repository(), head->digest, false));
    if (here.has_value()) return Keep(place, tag, here->media_type, here->content, here->digest);
  } else if (FailureOf(head.status()) != UpstreamFailure::kInvalid) {
    return head.status();
  }
  ASSIGN_OR_RETURN(const UpstreamManifest manifest, place.upstream->GetManifest(place.name(), tag));
  if (manifest.digest == now.digest) {
    Confirm(place, tag, now);
    return now;
  }
  return Keep(place, tag, manifest.media_type, manifest.content, manifest.digest);
}

void CacheImpl::NoteFailure(const Place& place, const Tag& tag, const StoredTag& stored, const absl::Status& status) {
  if (absl::IsCancelled(status)) return;
  RememberNegative(place, Key(place.repository(), tag.ToString()), status);
  // Without a record it counts as confirmed so long ago that it is asked for again, and as stale from now on.
  CachedTag known = stored.known.value_or(
      CachedTag{.digest = stored.manifest.digest,
                .confirmed_at = clock_.Now() - 2 * runtime::ToDuration(place.config().tag_ttl())});
  known.stale_reason = std::string(status.message());
  freshness_->Set(place.repository(), tag, known);
}

CacheImpl::Answer CacheImpl::ResolveAbsentTag(const Place& place, const Tag& tag, bool metadata_only) {
  if (std::optional<Answer> answer = FromMemory(place, tag, metadata_only); answer.has_value()) {
    return *std::move(answer);
  }
  return Ask(place, tag, metadata_only);
}

std::optional<CacheImpl::Answer> CacheImpl::FromMemory(const Place& place, const Tag& tag, bool metadata_only) {
  const std::optional<CachedTag> known = freshness_->Find(place.repository(), tag);
  if (!known.has_value() || !known->stale_reason.empty() || !IsTrusted(place, tag, *known)) return std::nullopt;
  const absl::StatusOr<std::optional<StoredManifest>> stored = FindStored(place.repository(), known->digest, false);
  if (!stored.ok()) return Answer{stored.status()};
  if (stored->has_value()) {
    // The manifest came by its digest, and the process ended before it got the tag.
    const StoredManifest& manifest = **stored;
    return Answer{Keep(place, tag, manifest.media_type, manifest.content, manifest.digest), ResolveResult::kHit};
  }
  if (!metadata_only || known->media_type.empty()) return std::nullopt;
  freshness_->AwaitManifest(place.repository(), tag, known->digest);
  return Answer{ResolvedManifest{.digest = known->digest,
                                 .media_type = known->media_type,
                                 .size_bytes = known->size_bytes,
                                 .stored = false,
                                 .stale_reason = "",
                                 .age = AgeOf(*known)},
                ResolveResult::kHit};
}

CacheImpl::Answer CacheImpl::Ask(const Place& place, const Reference& reference, bool metadata_only) {
  const std::string key = Key(place.repository(), ReferenceToString(reference));
  if (const std::optional<absl::Status> negative = negatives_.Find(key); negative.has_value()) {
    return {*negative, ResolveResult::kNegative};
  }
  Manifest manifest = manifest_calls_.Do(absl::StrCat(key, metadata_only ? " head" : " get"), [&]() -> Manifest {
    // Another call may have ended after this one had looked.
    const absl::StatusOr<std::optional<StoredManifest>> found = FindStored(place.repository(), reference, true);
    if (found.ok() && found->has_value()) return Stored(**found);
    Manifest asked = AskNow(place, reference, metadata_only);
    if (!asked.ok()) RememberNegative(place, key, asked.status());
    return asked;
  });
  if (manifest.ok()) return {std::move(manifest), ResolveResult::kMiss};
  const bool negative = absl::IsNotFound(manifest.status()) || absl::IsPermissionDenied(manifest.status());
  return {std::move(manifest), negative ? ResolveResult::kNegative : ResolveResult::kFailed};
}

absl::StatusOr<ResolvedManifest> CacheImpl::AskNow(const Place& place, const Reference& reference, bool metadata_only) {
  if (metadata_only) {
    absl::Status failure;
    if (std::optional<ResolvedManifest> head = AskByHead(place, reference, &failure); head.has_value()) return *head;
    RETURN_IF_ERROR(failure);
  }
  ASSIGN_OR_RETURN(const UpstreamManifest manifest, place.upstream->GetManifest(place.name(), reference));
  return Keep(place, reference, manifest.media_type, manifest.content, manifest.digest);
}

// nullopt with an OK failure: a HEAD does not tell enough.
std::optional<ResolvedManifest> CacheImpl::AskByHead(const Place& place, const Reference& reference,
                                                     absl::Status* failure) {
  const absl::StatusOr<UpstreamManifest> head = place.upstream->HeadManifest(place.name(), reference);
  if (!head.ok()) {
    if (FailureOf(head.status()) != UpstreamFailure::kInvalid) *failure = head.status();
    return std::nullopt;
  }
  const Digest* const asked = std::get_if<Digest>(&reference);
  if (head->media_type.empty() || head->size_bytes == 0 || (asked != nullptr && *asked != head->digest)) {
    return std::nullopt;
  }
  ResolvedManifest manifest{.digest = head->digest,
                            .media_type = head->media_type,
                            .size_bytes = head->size_bytes,
                            .stored = false,
                            .stale_reason = "",
                            .age = absl::ZeroDuration()};
  if (const Tag* const tag = std::get_if<Tag>(&reference)) {
    const absl::StatusOr<std::optional<StoredManifest>> here =
        FindStored(place.repository(), head->digest, /*metadata_only=*/false);
    if (here.ok() && here->has_value()) {
      Manifest kept = Keep(place, *tag, (*here)->media_type, (*here)->content, (*here)->digest);
      if (kept.ok()) return *kept;
    }
    Confirm(place, *tag, manifest);
    freshness_->AwaitManifest(place.repository(), *tag, manifest.digest);
  }
  return manifest;
}

absl::StatusOr<ResolvedManifest> CacheImpl::Keep(const Place& place, const Reference& reference,
                                                 const std::string& media_type, const std::string& content,
                                                 const Digest& digest) {
  std::vector<Tag> tags = freshness_->TakeTagsOf(place.repository(), digest);
  if (const Tag* const tag = std::get_if<Tag>(&reference)) {
    if (std::find(tags.begin(), tags.end(), *tag) == tags.end()) tags.push_back(*tag);
  }
  std::optional<Digest> kept;
  for (size_t i = 0; i < std::max<size_t>(1, tags.size()); ++i) {
    const std::optional<Tag> tag = tags.empty() ? std::nullopt : std::optional<Tag>(tags[i]);
    absl::StatusOr<Digest> put =
        store_.PutManifest(place.repository(), place.cached.upstream, media_type, content, tag);
    if (!put.ok()) {
      if (!absl::IsInvalidArgument(put.status())) return put.status();
      return OciError(OciErrorCode::kManifestInvalid,
                      absl::StrCat("the registry cannot keep the manifest ", QuotedInput(ReferenceToString(reference)),
                                   " of the upstream ", place.cached.upstream, ": ", put.status().message()),
                      GetOciErrorDetail(put.status()));
    }
    kept = *std::move(put);
  }
  if (*kept != digest) {
    return OciError(OciErrorCode::kManifestInvalid,
                    absl::StrCat("the registry keeps manifests under sha256 digests; ", digest.ToString(),
                                 " of the upstream ", place.cached.upstream, " is another"));
  }
  ResolvedManifest manifest{.digest = digest,
                            .media_type = media_type,
                            .size_bytes = content.size(),
                            .stored = true,
                            .stale_reason = "",
                            .age = absl::ZeroDuration()};
  if (media_type.empty()) {
    // The store has taken it from the content.
    ASSIGN_OR_RETURN(const std::optional<StoredManifest> stored, FindStored(place.repository(), digest, true));
    if (stored.has_value()) manifest.media_type = stored->media_type;
  }
  for (const Tag& tag : tags) Confirm(place, tag, manifest);
  negatives_.Forget(Key(place.repository(), digest.ToString()));
  return manifest;
}

void CacheImpl::Confirm(const Place& place, const Tag& tag, const ResolvedManifest& manifest) {
  CachedTag known{.digest = manifest.digest, .confirmed_at = clock_.Now()};
  if (!manifest.stored) {
    known.media_type = manifest.media_type;
    known.size_bytes = manifest.size_bytes;
  }
  freshness_->Set(place.repository(), tag, known);
  negatives_.Forget(Key(place.repository(), tag.ToString()));
}

void CacheImpl::RememberNegative(const Place& place, const std::string& key, const absl::Status& status) {
  const std::optional<UpstreamFailure> failure = FailureOf(status);
  const absl::Duration negative_ttl = runtime::ToDuration(place.config().negative_ttl());
  if (failure == UpstreamFailure::kDenied) {
    negatives_.Remember(key, status, std::min(negative_ttl, kDeniedLifetime));
  } else if (failure == UpstreamFailure::kNotFound || GetOciErrorCode(status) == OciErrorCode::kManifestInvalid) {
    negatives_.Remember(key, status, negative_ttl);
  }
}

// Blobs ---------------------------------------------------------------------------------------------------------------

absl::StatusOr<std::optional<Blob>> CacheImpl::FindStoredBlob(const RepositoryName& repository, const Digest& digest) {
  absl::StatusOr<Blob> found = store_.FindBlob(repository, digest);
  if (found.ok()) return *std::move(found);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  return found.status();
}

// Waits for the size of a blob that is being fetched.
absl::StatusOr<uint64_t> WaitForSize(FetchReader& reader, absl::string_view upstream) {
  struct Wait {
    std::mutex mutex;
    std::condition_variable changed;
    bool known = false;
  };
  const auto wait = std::make_shared<Wait>();
  reader.WhenSizeKnown([wait] {
    const std::lock_guard lock(wait->mutex);
    wait->known = true;
    wait->changed.notify_all();
  });
  {
    std::unique_lock lock(wait->mutex);
    wait->changed.wait_for(lock, kSizePatience, [&] { return wait->known; });
  }
  if (const std::optional<uint64_t> size = reader.size_bytes(); size.has_value()) return *size;
  RETURN_IF_ERROR(reader.status());
  return UpstreamError(UpstreamFailure::kUnavailable,
                       absl::StrCat("the upstream ", upstream, " does not tell the size of the blob before its end"),
                       absl::Seconds(10));
}

absl::StatusOr<v1::FindUpstreamBlobResponse> CacheImpl::FindBlob(const RepositoryName& repository, const Digest& digest,
                                                                 const std::string& client) {
  ASSIGN_OR_RETURN(const std::optional<Place> place, Locate(repository));
  const RepositoryName& here = place.has_value() ? place->repository() : repository;
  v1::FindUpstreamBlobResponse response;
  ASSIGN_OR_RETURN(const std::optional<Blob> stored, FindStoredBlob(here, digest));
  if (stored.has_value()) {
    response.set_stored(true);
    response.set_size_bytes(stored->size_bytes);
    return response;
  }
  if (!place.has_value()) return NotConfigured(repository);
  const std::string key = Key(here, absl::StrCat(digest.ToString(), " blob"));
  if (const std::optional<absl::Status> negative = negatives_.Find(key); negative.has_value()) {
    return *negative;
  }
  const absl::StatusOr<UpstreamBlobHead> head = place->upstream->HeadBlob(place->name(), digest);
  if (!head.ok()) {
    RememberNegative(*place, key, head.status());
    return head.status();
  }
  if (head->size_bytes.has_value()) {
    response.set_size_bytes(*head->size_bytes);
    return response;
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<FetchReader> reader,
                   fetches_->Open(place->upstream, place->cached, digest, client));
  ASSIGN_OR_RETURN(const uint64_t size, WaitForSize(*reader, place->cached.upstream));
  response.set_size_bytes(size);
  return response;
}

absl::StatusOr<std::variant<StoredBlob, std::unique_ptr<FetchReader>>> CacheImpl::OpenBlob(
    const RepositoryName& repository, const Digest& digest, const std::string& client) {
  using Opened = std::variant<StoredBlob, std::unique_ptr<FetchReader>>;
  ASSIGN_OR_RETURN(const std::optional<Place> place, Locate(repository));
  const RepositoryName& here = place.has_value() ? place->repository() : repository;
  ASSIGN_OR_RETURN(const std::optional<Blob> stored, FindStoredBlob(here, digest));
  if (stored.has_value()) return Opened(StoredBlob{.size_bytes = stored->size_bytes});
  if (!place.has_value()) return NotConfigured(repository);
  const std::string key = Key(here, absl::StrCat(digest.ToString(), " blob"));
  if (const std::optional<absl::Status> negative = negatives_.Find(key); negative.has_value()) return *negative;
  ASSIGN_OR_RETURN(std::unique_ptr<FetchReader> reader, fetches_->Open(place->upstream, place->cached, digest, client));
  return Opened(std::move(reader));
}

// Lists ---------------------------------------------------------------------------------------------------------------

absl::StatusOr<TagPage> CacheImpl::ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) {
  ASSIGN_OR_RETURN(const std::optional<Place> place, Locate(repository));
  if (!place.has_value()) return store_.ListTags(repository, limit, last);
  const std::string key = place->repository().ToString();
  const std::optional<ListCache<TagList>::Entry> cached = tag_lists_.Find(key);
  if (cached.has_value()) {
    const absl::Duration age = clock_.Now() - cached->at;
    if (age >= absl::ZeroDuration() && age < runtime::ToDuration(place->config().tag_ttl())) {
      return PageOf(*cached->list, limit, last);
    }
  }
  const Shared<TagList> list = tag_list_calls_.Do(key, [&]() -> Shared<TagList> {
    const absl::Time now = clock_.Now();
    ASSIGN_OR_RETURN(TagList tags, place->upstream->ListTags(place->name(), kTagsMax));
    std::erase_if(tags, [](const std::string& tag) { return !Tag::Parse(tag).ok(); });
    std::sort(tags.begin(), tags.end());
    tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
    const size_t bytes = BytesOf(tags);
    auto shared = std::make_shared<const TagList>(std::move(tags));
    tag_lists_.Put(key, {.list = shared, .at = now}, bytes);
    return shared;
  });
  if (list.ok()) return PageOf(**list, limit, last);
  const bool fails = !absl::IsNotFound(list.status()) && !absl::IsPermissionDenied(list.status());
  if (cached.has_value() && fails) return PageOf(*cached->list, limit, last);
  absl::StatusOr<TagPage> here = store_.ListTags(place->repository(), limit, last);
  // An empty page may be the last one.
  if (here.ok() && (!here->tags.empty() || !last.empty())) return here;
  if (!here.ok() && !absl::IsNotFound(here.status())) return here.status();
  return list.status();
}

absl::StatusOr<std::vector<Referrer>> CacheImpl::ListReferrers(const RepositoryName& repository,
                                                               const Digest& subject) {
  ASSIGN_OR_RETURN(const std::optional<Place> place, Locate(repository));
  if (!place.has_value()) return std::vector<Referrer>();
  const std::string key = Key(place->repository(), subject.ToString());
  const std::optional<ListCache<ReferrerList>::Entry> cached = referrer_lists_.Find(key);
  if (cached.has_value()) {
    const absl::Duration age = clock_.Now() - cached->at;
    const absl::Duration lifetime = std::min(kReferrersLifetime, runtime::ToDuration(place->config().tag_ttl()));
    if (age >= absl::ZeroDuration() && age < lifetime) return *cached->list;
  }
  const Shared<ReferrerList> list = referrer_list_calls_.Do(key, [&]() -> Shared<ReferrerList> {
    const absl::Time now = clock_.Now();
    absl::StatusOr<ReferrerList> referrers = place->upstream->ListReferrers(place->name(), subject);
    // No referrers, by an upstream that reports that as 404.
    if (FailureOf(referrers.status()) == UpstreamFailure::kNotFound) referrers = ReferrerList();
    RETURN_IF_ERROR(referrers.status());
    const size_t bytes = BytesOf(*referrers);
    auto shared = std::make_shared<const ReferrerList>(*std::move(referrers));
    referrer_lists_.Put(key, {.list = shared, .at = now}, bytes);
    return shared;
  });
  if (list.ok()) return **list;
  if (cached.has_value()) return *cached->list;
  return std::vector<Referrer>();
}

v1::UpstreamList CacheImpl::Status() const {
  v1::UpstreamList list;
  for (const std::shared_ptr<GuardedRegistry>& upstream : set_.All()) {
    v1::UpstreamStatus& status = *list.add_upstreams();
    const std::string& name = upstream->config().name();
    status.set_name(name);
    status.set_url(upstream->config().url());
    const absl::Status health = upstream->health();
    status.set_state(health.ok() ? "ok" : std::string(health.message()));
    status.set_requests(upstream->requests());
    status.set_bytes_fetched(upstream->bytes_fetched());
    const RateLimit limit = upstream->rate_limit();
    status.set_rate_limit(limit.limit.value_or(-1));
    status.set_rate_limit_remaining(limit.remaining.value_or(-1));
    status.set_hits(metrics_.Resolves(name, ResolveResult::kHit) +
                    metrics_.Resolves(name, ResolveResult::kRevalidated));
    status.set_misses(metrics_.Resolves(name, ResolveResult::kMiss));
    status.set_stale(metrics_.Resolves(name, ResolveResult::kStale));
  }
  return list;
}

uint64_t CacheImpl::BytesFetched(absl::string_view upstream) const {
  const std::shared_ptr<GuardedRegistry> found = set_.Find(upstream);
  return found == nullptr ? 0 : found->bytes_fetched();
}

void CacheImpl::Stop() {
  set_.Stop();
  fetches_->Stop();
}

}  // namespace

absl::StatusOr<std::unique_ptr<UpstreamCache>> UpstreamCache::Create(const UpstreamsFile* upstreams, CacheStore* store,
                                                                     kv::KvEngine* kv, const Clock* clock,
                                                                     const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<Freshness> freshness, Freshness::Open(kv, options.shared));
  BlobFetches::Options fetch_options;
  fetch_options.spool_directory = options.spool_directory;
  fetch_options.registry = options.registry;
  fetch_options.holder = freshness->service_id();
  ASSIGN_OR_RETURN(std::unique_ptr<BlobFetches> fetches, BlobFetches::Create(store, std::move(fetch_options)));
  return std::make_unique<CacheImpl>(upstreams, store, clock, options, std::move(freshness), std::move(fetches));
}

}  // namespace entrepot::upstream
