#include "services/manifest/records/metadata_keys.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace entrepot::manifest::keys {
namespace {

constexpr absl::string_view kSeparator("\0", 1);
constexpr absl::string_view kCollections("g/history\0", 10);
constexpr absl::string_view kJobs("g/job\0", 6);
constexpr size_t kDueDigits = 16;

std::string EncodeDue(absl::Time due) {
  return absl::StrFormat("%016X", static_cast<uint64_t>(absl::ToUnixMicros(RoundDue(due))));
}

enum class Component { kDigest, kRepository, kManifest, kTag, kDue, kStorageKey, kJobId };

struct Layout {
  absl::string_view prefix;
  Kind kind;
  std::vector<Component> components;
};

const std::vector<Layout>& Layouts() {
  using enum Component;
  static const auto* const layouts = new std::vector<Layout>{
      {"b/", Kind::kBlob, {kDigest}},
      {"l/", Kind::kLink, {kDigest, kRepository}},
      {"n/", Kind::kRepository, {kRepository}},
      {"m/", Kind::kManifest, {kRepository, kDigest}},
      {"t/", Kind::kTag, {kRepository, kTag}},
      {"d/", Kind::kTagOfManifest, {kRepository, kDigest, kTag}},
      {"s/", Kind::kReferrer, {kRepository, kDigest, kManifest}},
      {"r/", Kind::kReference, {kDigest, kRepository, kManifest}},
      {"q/", Kind::kReview, {kDue, kDigest}},
      {"x/", Kind::kDeleteIntent, {kStorageKey}},
      {"p/", Kind::kPull, {kRepository, kTag}},
      {"w/", Kind::kManifestUse, {kRepository, kDigest}},
      {"h/", Kind::kFetchClaim, {kRepository, kDigest}},
      {"g/pulls", Kind::kPullTracking, {}},
      {kCollections, Kind::kCollection, {kDue}},
      {"g/scrub", Kind::kScrub, {}},
      {"g/store", Kind::kStoreBinding, {}},
      {"g/clock", Kind::kClockState, {}},
      {"g/removals", Kind::kObjectRemovals, {}},
      {"g/pause", Kind::kDeletionPause, {}},
      {"g/leases", Kind::kWorkLeases, {}},
      {kJobs, Kind::kJob, {kJobId}},
  };
  return *layouts;
}

template <typename T>
bool Store(absl::StatusOr<T> parsed, std::optional<T>* field) {
  if (!parsed.ok()) return false;
  *field = *std::move(parsed);
  return true;
}

bool StoreDue(absl::string_view text, std::optional<absl::Time>* field) {
  uint64_t micros = 0;
  if (text.size() != kDueDigits || !absl::SimpleHexAtoi(text, &micros)) return false;
  if (micros > static_cast<uint64_t>(INT64_MAX)) return false;
  *field = absl::FromUnixMicros(static_cast<int64_t>(micros));
  // SimpleHexAtoi is more lenient than the layout.
  return EncodeDue(**field) == text;
}

bool StoreComponent(Component component, absl::string_view text, Decoded* decoded) {
  switch (component) {
    case Component::kDigest:
      return Store(Digest::Parse(text), &decoded->digest);
    case Component::kRepository:
      return Store(RepositoryName::Parse(text), &decoded->repository);
    case Component::kManifest:
      return Store(Digest::Parse(text), &decoded->manifest);
    case Component::kTag:
      return Store(entrepot::Tag::Parse(text), &decoded->tag);
    case Component::kDue:
      return StoreDue(text, &decoded->due);
    case Component::kStorageKey:
      return Store(StorageKey::Parse(text), &decoded->storage_key);
    case Component::kJobId:
      decoded->job_id = std::string(text);
      return !text.empty();
  }
  return false;
}

bool DecodeComponents(const Layout& layout, absl::string_view rest, Decoded* decoded) {
  if (layout.components.empty()) return rest.empty();
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, kSeparator);
  if (parts.size() != layout.components.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!StoreComponent(layout.components[i], parts[i], decoded)) return false;
  }
  return true;
}

}  // namespace

std::string Format() { return "f/manifest"; }
std::string Blob(const Digest& digest) { return absl::StrCat(Blobs(), digest.ToString()); }
std::string Link(const Digest& digest, const RepositoryName& repository) {
  return absl::StrCat(LinksOf(digest), repository.ToString());
}
std::string Repository(const RepositoryName& repository) { return absl::StrCat(Repositories(), repository.ToString()); }
std::string Manifest(const RepositoryName& repository, const Digest& digest) {
  return absl::StrCat(ManifestsOf(repository), digest.ToString());
}
std::string Tag(const RepositoryName& repository, const entrepot::Tag& tag) {
  return absl::StrCat(TagsOf(repository), tag.ToString());
}
std::string TagOfManifest(const RepositoryName& repository, const Digest& digest, const entrepot::Tag& tag) {
  return absl::StrCat(TagsOfManifest(repository, digest), tag.ToString());
}
std::string Referrer(const RepositoryName& repository, const Digest& subject, const Digest& manifest) {
  return absl::StrCat(ReferrersOf(repository, subject), manifest.ToString());
}
std::string Reference(const Digest& digest, const RepositoryName& repository, const Digest& manifest) {
  return absl::StrCat(ReferencesTo(digest, repository), manifest.ToString());
}
std::string Review(absl::Time due, const Digest& digest) {
  return absl::StrCat(Reviews(), EncodeDue(due), kSeparator, digest.ToString());
}
std::string DeleteIntent(const StorageKey& storage_key) {
  return absl::StrCat(DeleteIntents(), storage_key.ToString());
}
std::string Pull(const RepositoryName& repository, const entrepot::Tag& tag) {
  return absl::StrCat(PullsOf(repository), tag.ToString());
}
std::string ManifestUse(const RepositoryName& repository, const Digest& digest) {
  return absl::StrCat(ManifestUsesOf(repository), digest.ToString());
}
std::string FetchClaim(const RepositoryName& upstream, const Digest& digest) {
  return absl::StrCat(FetchClaims(), upstream.ToString(), kSeparator, digest.ToString());
}
std::string PullTracking() { return "g/pulls"; }
std::string Collection(absl::Time started_at) { return absl::StrCat(Collections(), EncodeDue(started_at)); }
std::string Scrub() { return "g/scrub"; }

std::string StoreBinding() { return "g/store"; }

std::string ClockState() { return "g/clock"; }
std::string DeletionPause() { return "g/pause"; }
std::string WorkLeases() { return "g/leases"; }
std::string Job(absl::string_view id) { return absl::StrCat(kJobs, id); }
std::string Jobs() { return std::string(kJobs); }

std::string ObjectRemovals() { return "g/removals"; }

std::string Blobs() { return "b/"; }
std::string Repositories() { return "n/"; }
std::string Links() { return "l/"; }
std::string LinksOf(const Digest& digest) { return absl::StrCat(Links(), digest.ToString(), kSeparator); }
std::string LinksBelow(const Digest& digest, absl::string_view folder) {
  return absl::StrCat(LinksOf(digest), folder, "/");
}
std::string Manifests() { return "m/"; }
std::string ManifestsOf(const RepositoryName& repository) {
  return absl::StrCat(Manifests(), repository.ToString(), kSeparator);
}
std::string Tags() { return "t/"; }
std::string TagsOf(const RepositoryName& repository) { return absl::StrCat(Tags(), repository.ToString(), kSeparator); }
std::string TagsOfManifest(const RepositoryName& repository, const Digest& digest) {
  return absl::StrCat("d/", repository.ToString(), kSeparator, digest.ToString(), kSeparator);
}
std::string ReferrersOf(const RepositoryName& repository, const Digest& subject) {
  return absl::StrCat("s/", repository.ToString(), kSeparator, subject.ToString(), kSeparator);
}
std::string References() { return "r/"; }
std::string ReferencesTo(const Digest& digest) { return absl::StrCat(References(), digest.ToString(), kSeparator); }
std::string ReferencesTo(const Digest& digest, const RepositoryName& repository) {
  return absl::StrCat(ReferencesTo(digest), repository.ToString(), kSeparator);
}
std::string Reviews() { return "q/"; }
std::string ReviewsUntil(absl::Time due) { return absl::StrCat(Reviews(), EncodeDue(due + absl::Microseconds(1))); }
std::string DeleteIntents() { return "x/"; }
std::string PullsOf(const RepositoryName& repository) { return absl::StrCat("p/", repository.ToString(), kSeparator); }
std::string ManifestUsesOf(const RepositoryName& repository) {
  return absl::StrCat("w/", repository.ToString(), kSeparator);
}
std::string FetchClaims() { return "h/"; }
std::string Collections() { return std::string(kCollections); }

std::vector<absl::string_view> Prefixes() {
  std::vector<absl::string_view> prefixes;
  for (const Layout& layout : Layouts()) prefixes.push_back(layout.prefix);
  return prefixes;
}

absl::Time RoundDue(absl::Time due) { return absl::FromUnixMicros(std::max<int64_t>(0, absl::ToUnixMicros(due))); }

absl::StatusOr<Decoded> Decode(absl::string_view key) {
  if (key == Format()) return Decoded{.kind = Kind::kFormat};
  for (const Layout& layout : Layouts()) {
    if (key.substr(0, layout.prefix.size()) != layout.prefix) continue;
    Decoded decoded{.kind = layout.kind};
    if (DecodeComponents(layout, key.substr(layout.prefix.size()), &decoded)) return decoded;
    break;
  }
  return absl::DataLossError(absl::StrCat("not a key of the manifest service: ", absl::CHexEscape(key)));
}

}  // namespace entrepot::manifest::keys
