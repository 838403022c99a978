#ifndef ENTREPOT_TESTS_SIMULATION_MODEL_H_
#define ENTREPOT_TESTS_SIMULATION_MODEL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/kv/kv_engine.h"
#include "tests/simulation/content.h"
#include "tests/simulation/register.h"
#include "tests/simulation/simulated_clock.h"

namespace entrepot::simulation {

// How a call ended, as far as its caller knows.
enum class Outcome {
  kDone,
  // The call had no effect.
  kRefused,
  // The call may have had its effect or not.
  kUnknown,
};

// Records the answers that clients got, and checks what must be true because of them: I3 (acknowledged blobs are safe)
// and I6 (reads return what was pushed). Repositories, tags, blobs and manifests are named by their index in Content.
class Model {
 public:
  // `promise` is the time for which an acknowledged blob must be safe: by the clock, or, if `guarded`, also however the
  // clock is set.
  Model(SimulatedClock* clock, absl::Duration promise, bool guarded);

  // A call under way. End() must be called exactly once.
  class Call {
   public:
    void End(Outcome outcome);

   private:
    friend class Model;
    explicit Call(Model* model)
        : model_(*model),
          begin_(++model->now_),
          begun_after_(model->clock_->Passed()),
          span_(model->clock_),
          reviews_until_(model->review_time_()) {}

    Model& model_;
    const uint64_t begin_;
    const absl::Duration begun_after_;
    const SimulatedClock::Span span_;
    const absl::Time reviews_until_;
    std::vector<Register::Write*> writes_;
    // The blob that the call makes safe.
    std::optional<std::pair<size_t, size_t>> promises_;
    bool links_ = false;
    // The links that the call may remove.
    std::vector<std::pair<size_t, size_t>> unlinks_;
    std::optional<std::pair<size_t, size_t>> put_;
    // The manifest comes from an upstream: everything may be absent.
    bool cached_ = false;
    std::vector<std::pair<size_t, size_t>> deletions_;
    std::vector<std::pair<size_t, size_t>> evictions_;
    // The promises of blobs that the manifest needs, from when the call began.
    std::vector<std::pair<std::pair<size_t, size_t>, uint64_t>> relies_on_;
  };

  // A commit, a HEAD or a mount.
  std::unique_ptr<Call> BlobCall(size_t repository, size_t blob);
  // A BlobCall that links the blob if a manifest needs it.
  std::unique_ptr<Call> LinkCall(size_t repository, size_t blob);
  std::unique_ptr<Call> Unlink(size_t repository, size_t blob);
  std::unique_ptr<Call> PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag, bool cached);
  std::unique_ptr<Call> DeleteManifest(size_t repository, size_t manifest);
  std::unique_ptr<Call> DeleteTag(size_t repository, size_t tag);
  std::unique_ptr<Call> DeleteRepository(size_t repository);
  // An eviction, which may delete any manifest of a cache, and nothing else.
  std::unique_ptr<Call> Evict();
  std::unique_ptr<Call> Read() { return Begin(); }

  // A commit or a mount of the blob begins. `cached`: its bytes come from the upstream.
  void MayArrive(size_t repository, size_t blob, bool cached);
  // Whether a cache may have the blob: it came there, also by a link that has ended, or this LinkCall or another one
  // under way may link it, because it came to another cache and a manifest of this one needs it.
  bool BlobMayBe(size_t repository, size_t blob) const;
  // Whether it breaks a promise that this PutManifest was refused because a blob is missing.
  bool WasPromised(const Call& call) const;
  // Whether a Read may have had this result.
  bool TagMayBe(const Call& call, size_t repository, size_t tag, const std::string& digest) const;
  bool ManifestMayBe(const Call& call, size_t repository, size_t manifest, bool there) const;
  // Whether the manifest existed during the whole Read, all its blobs had arrived before, and none of their links was
  // removed since.
  bool ManifestIsWhole(const Call& call, size_t repository, size_t manifest) const;

  // Sets the function that returns the latest time that a review under way may have read. If the clock is set back
  // during a review, and a HEAD comes before the review commits, no promise is broken: the review's time is as valid as
  // the HEAD's.
  void OnReviewTime(std::function<absl::Time()> review_time) { review_time_ = std::move(review_time); }
  // Must be called after time has passed: promises may have ended.
  void TimePassed();
  // The clock was set, and collection does not hold back because of that: promises end by the clock.
  void ClockCounts();
  // The blob's bytes were damaged: its promises end.
  void Rotten(size_t blob) { rotten_.at(blob) = true; }
  bool IsRotten(size_t blob) const { return rotten_.at(blob); }

  // The records may lose what was committed last.
  void ForgetSeen();
  // Compares the committed records with the answers that clients got. Returns the first violation.
  std::optional<std::string> Check(kv::KvReader& committed);
  // Whether the immutable tags name what they named first, and their repository has kept all that they need.
  std::optional<std::string> CheckImmutable(kv::KvReader& committed);

 private:
  using Place = std::pair<size_t, size_t>;
  struct Promise {
    uint64_t id;
    absl::Time until;
    // The end by SimulatedClock::Passed().
    absl::Duration ends;
  };
  struct LinkState {
    int unlinks_under_way = 0;
    uint64_t last_unlink = 0;
    // The last acknowledged BlobCall; 0 if there was none.
    uint64_t acknowledged_begin = 0;
    uint64_t acknowledged_end = 0;
  };
  struct ManifestState {
    // The last acknowledged PUT; 0 if there was none.
    uint64_t put_begin = 0;
    uint64_t put_end = 0;
    // The blobs that this PUT must have found.
    std::set<size_t> found;
    int deletions_under_way = 0;
    int evictions_under_way = 0;
    uint64_t last_deletion = 0;
    // Whether it was there at the last check, in a repository that clients push to.
    bool seen_hosted = false;
  };

  std::unique_ptr<Call> Begin() { return std::unique_ptr<Call>(new Call(this)); }
  static void AddWrite(Call& call, Register& name, std::string value, bool overwrites = true) {
    call.writes_.push_back(name.Begin(std::move(value), call.begin_, overwrites));
  }
  // Whether this LinkCall may have linked its blob by now.
  bool MayLink(const Call& call) const;
  void AddUnlink(Call& call, Place link);
  void AddDeletion(Call& call, Place manifest);
  void EndPromise(Call& call);
  // When a promise ends by the clock, in terms of SimulatedClock::Passed().
  absl::Duration EndByClock(absl::Time until) const { return clock_->Passed() + (until - clock_->Now()); }
  // The blobs that the manifest of this PutManifest needs and whose promises hold since the call began.
  std::set<size_t> PromisedTo(const Call& put) const;
  // The blobs that the repository must have had, because this PutManifest was acknowledged.
  std::set<size_t> MustHaveFound(const Call& put) const;
  // Whether the repository has had the blob since that PUT of the manifest, or since a call after it.
  bool HasArrived(const Call& read, const ManifestState& manifest, size_t blob, const LinkState& link) const;
  bool Disturbed(const LinkState& link, uint64_t since) const {
    return link.unlinks_under_way > 0 || link.last_unlink >= since;
  }

  SimulatedClock* const clock_;
  const absl::Duration promise_;
  const bool guarded_;
  std::function<absl::Time()> review_time_ = [] { return absl::InfinitePast(); };
  uint64_t now_ = 0;
  // Each by the index of its repository and its own index.
  std::map<Place, Register> tags_;
  std::map<Place, Register> manifests_;
  std::map<Place, ManifestState> manifest_states_;
  std::map<Place, LinkState> links_;
  std::map<Place, Promise> promises_;
  // Where blobs may have arrived, and those of them whose bytes came from the upstream.
  std::set<Place> arrivals_;
  std::set<Place> fetched_;
  std::set<const Call*> links_under_way_;
  std::vector<bool> rotten_;
  // What each immutable tag names; empty until it exists.
  std::map<std::string, std::string> immutable_;
  // The keys of what they need, as far as these were seen.
  std::set<std::string> kept_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_MODEL_H_
