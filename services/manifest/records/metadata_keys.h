#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_METADATA_KEYS_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_METADATA_KEYS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/storage_key.h"
#include "services/core/tag.h"

// The keys of the manifest service's records. No other code encodes or decodes them.
//
// Layout, version 1. FROZEN: a change needs a new version and a migration. `|` is the byte 0x00, which occurs in no
// component: keys sort by component, and the keys of repository `a` are never among those of `a/b` or `a-b`.
//
//   f/manifest                              FormatRecord
//   b/<digest>                              BlobRecord
//   l/<digest>|<repository>                 LinkRecord
//   n/<repository>                          RepositoryRecord
//   m/<repository>|<digest>                 ManifestRecord
//   t/<repository>|<tag>                    TagRecord
//   d/<repository>|<digest>|<tag>           TagOfManifestRecord
//   s/<repository>|<subject>|<manifest>     ReferrerRecord
//   r/<digest>|<repository>|<manifest>      ReferenceRecord
//   q/<due>|<digest>                        ReviewRecord
//   x/<storage key>                         DeleteIntentRecord
//   p/<repository>|<tag>                    PullRecord
//   w/<repository>|<digest>                 ManifestUseRecord
//   h/<upstream>|<digest>                   FetchClaimRecord
//   g/pulls                                 PullTrackingRecord
//   g/history|<started at>                  CollectionRecord
//   g/scrub                                 ScrubRecord
//   g/store                                 StoreBindingRecord
//   g/clock                                 ClockRecord
//   g/removals                              RemovalsRecord
//   g/pause                                 DeletionPauseRecord
//   g/leases                                WorkLeasesRecord
//   g/job|<job id>                          JobRecord
//
// <digest>, <subject>, <manifest>: `sha256:0123…`. <due>, <started at>: microseconds since 1970 as 16 upper-case hex
// digits, so that keys sort by time. Values are the messages of storage/v1/manifest_records.proto.
//
// In the standalone process the blob service keeps its records in the same engine, under `u/`, `o/` and `f/blob`.
namespace entrepot::manifest::keys {

inline constexpr int kFormatVersion = 1;

std::string Format();
std::string Blob(const Digest& digest);
std::string Link(const Digest& digest, const RepositoryName& repository);
std::string Repository(const RepositoryName& repository);
std::string Manifest(const RepositoryName& repository, const Digest& digest);
std::string Tag(const RepositoryName& repository, const entrepot::Tag& tag);
std::string TagOfManifest(const RepositoryName& repository, const Digest& digest, const entrepot::Tag& tag);
std::string Referrer(const RepositoryName& repository, const Digest& subject, const Digest& manifest);
std::string Reference(const Digest& digest, const RepositoryName& repository, const Digest& manifest);
std::string Review(absl::Time due, const Digest& digest);
std::string DeleteIntent(const StorageKey& storage_key);
std::string Pull(const RepositoryName& repository, const entrepot::Tag& tag);
std::string ManifestUse(const RepositoryName& repository, const Digest& digest);
// `upstream`: a repository name of one component.
std::string FetchClaim(const RepositoryName& upstream, const Digest& digest);
std::string PullTracking();
std::string Collection(absl::Time started_at);
std::string Scrub();
std::string StoreBinding();
std::string ClockState();
std::string ObjectRemovals();
std::string DeletionPause();
std::string WorkLeases();
// `id`: hex digits and hyphens.
std::string Job(absl::string_view id);

// Prefixes for scans. A key is its prefix followed by the remaining components.
std::string Blobs();
std::string Repositories();
std::string Links();
std::string LinksOf(const Digest& digest);
// Links of the repositories whose names begin with `folder` and a slash.
std::string LinksBelow(const Digest& digest, absl::string_view folder);
std::string Manifests();
std::string ManifestsOf(const RepositoryName& repository);
std::string Tags();
std::string TagsOf(const RepositoryName& repository);
std::string TagsOfManifest(const RepositoryName& repository, const Digest& digest);
std::string ReferrersOf(const RepositoryName& repository, const Digest& subject);
std::string References();
// References from all repositories.
std::string ReferencesTo(const Digest& digest);
// References from one repository.
std::string ReferencesTo(const Digest& digest, const RepositoryName& repository);
// In the order of their due times.
std::string Reviews();
// Not a prefix but a position in Reviews(): behind the reviews that are due at `due` or earlier, and before the others.
std::string ReviewsUntil(absl::Time due);
std::string DeleteIntents();
std::string PullsOf(const RepositoryName& repository);
std::string ManifestUsesOf(const RepositoryName& repository);
std::string FetchClaims();
// The collector's history, in the order of its runs.
std::string Collections();
std::string Jobs();

// Each key except Format() starts with one of these.
std::vector<absl::string_view> Prefixes();

// Rounds a time to what keys can hold: whole microseconds, not before 1970.
absl::Time RoundDue(absl::Time due);

// A decoded key of any kind. Components that the kind does not have are absent.
enum class Kind {
  kFormat,
  kBlob,
  kLink,
  kRepository,
  kManifest,
  kTag,
  kTagOfManifest,
  kReferrer,
  kReference,
  kReview,
  kDeleteIntent,
  kPull,
  kManifestUse,
  kFetchClaim,
  kPullTracking,
  kCollection,
  kScrub,
  kStoreBinding,
  kClockState,
  kObjectRemovals,
  kDeletionPause,
  kWorkLeases,
  kJob,
};
struct Decoded {
  Kind kind;
  // kReferrer: the subject.
  std::optional<Digest> digest = std::nullopt;
  // kFetchClaim: the upstream.
  std::optional<RepositoryName> repository = std::nullopt;
  // kReferrer, kReference: the referring manifest.
  std::optional<Digest> manifest = std::nullopt;
  std::optional<entrepot::Tag> tag = std::nullopt;
  // kReview: the due time. kCollection: the start of the run.
  std::optional<absl::Time> due = std::nullopt;
  std::optional<StorageKey> storage_key = std::nullopt;
  std::optional<std::string> job_id = std::nullopt;
};
// kDataLoss if the key does not match the layout.
absl::StatusOr<Decoded> Decode(absl::string_view key);

}  // namespace entrepot::manifest::keys

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_METADATA_KEYS_H_
