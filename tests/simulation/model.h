#ifndef ENTREPOT_TESTS_SIMULATION_MODEL_H_
#define ENTREPOT_TESTS_SIMULATION_MODEL_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/kv/kv_engine.h"
#include "tests/simulation/content.h"
#include "tests/simulation/register.h"
#include "tests/simulation/simulated_clock.h"

namespace entrepot::simulation {

// How a call ended, for who made it.
enum class Outcome {
  kDone,
  // It has done nothing.
  kRefused,
  // It may have done what it was to do, or not.
  kUnknown,
};

// What clients were told, and so what must be true: I3 and I6. Repositories, tags, blobs and manifests are named by
// their place in Content.
class Model {
 public:
  // `promise`: for how long at least a blob is safe that was acknowledged.
  Model(SimulatedClock* clock, absl::Duration promise);

  // A call under way. Ended exactly once.
  class Call {
   public:
    void End(Outcome outcome);

   private:
    friend class Model;
    explicit Call(Model* model)
        : model_(*model), begin_(++model->now_), span_(model->clock_), reviews_until_(model->review_time_()) {}

    Model& model_;
    const uint64_t begin_;
    const SimulatedClock::Span span_;
    const absl::Time reviews_until_;
    std::vector<Register::Write*> writes_;
    // The blob that is safe once it is done.
    std::optional<std::pair<size_t, size_t>> promises_;
    // The links that it may take away.
    std::vector<std::pair<size_t, size_t>> unlinks_;
    std::optional<std::pair<size_t, size_t>> put_;
    std::vector<std::pair<size_t, size_t>> deletions_;
    // The promises of what a manifest needs, where all of it was promised when the call began.
    std::optional<std::vector<std::pair<std::pair<size_t, size_t>, uint64_t>>> relies_on_;
  };

  // Commit, HEAD, mount.
  std::unique_ptr<Call> BlobCall(size_t repository, size_t blob);
  std::unique_ptr<Call> Unlink(size_t repository, size_t blob);
  std::unique_ptr<Call> PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag);
  std::unique_ptr<Call> DeleteManifest(size_t repository, size_t manifest);
  std::unique_ptr<Call> DeleteTag(size_t repository, size_t tag);
  std::unique_ptr<Call> DeleteRepository(size_t repository);
  std::unique_ptr<Call> Read() { return Begin(); }

  // Of a PutManifest that was told that a blob is not there: whether that breaks a promise.
  bool WasPromised(const Call& call) const;
  // Of a Read: what it was told.
  bool TagMayBe(const Call& call, size_t repository, size_t tag, const std::string& digest) const;
  bool ManifestMayBe(const Call& call, size_t repository, size_t manifest, bool there) const;
  // Whether the manifest has been there all the time of a Read, and nobody has taken its blobs' links.
  bool ManifestIsWhole(const Call& call, size_t repository, size_t manifest) const;

  // Tells the latest time that a review which is under way may have read. A clock that is put back under it, and a HEAD
  // before it commits, are no promise broken: its time is as good as the HEAD's.
  void OnReviewTime(std::function<absl::Time()> review_time) { review_time_ = std::move(review_time); }
  // The clock has moved: promises end.
  void ClockMoved();
  // The blob's bytes have rotten: nothing is promised about it any more.
  void Rotten(size_t blob) { rotten_.at(blob) = true; }
  bool IsRotten(size_t blob) const { return rotten_.at(blob); }

  // What is committed against what clients were told; the first thing that is not so.
  std::optional<std::string> Check(kv::KvReader& committed);

 private:
  using Place = std::pair<size_t, size_t>;
  struct Promise {
    uint64_t id;
    absl::Time until;
  };
  struct LinkState {
    int unlinks_under_way = 0;
    uint64_t last_unlink = 0;
  };
  struct ManifestState {
    // Of the last acknowledged PUT; 0: there was none.
    uint64_t put_begin = 0;
    uint64_t put_end = 0;
    int deletions_under_way = 0;
    uint64_t last_deletion = 0;
  };

  std::unique_ptr<Call> Begin() { return std::unique_ptr<Call>(new Call(this)); }
  static void AddWrite(Call& call, Register& name, std::string value, bool overwrites = true) {
    call.writes_.push_back(name.Begin(std::move(value), call.begin_, overwrites));
  }
  void AddUnlink(Call& call, Place link);
  void AddDeletion(Call& call, Place manifest);
  void EndPromise(Call& call);
  bool Disturbed(const LinkState& link, uint64_t since) const {
    return link.unlinks_under_way > 0 || link.last_unlink >= since;
  }

  SimulatedClock* const clock_;
  const absl::Duration promise_;
  std::function<absl::Time()> review_time_ = [] { return absl::InfinitePast(); };
  uint64_t now_ = 0;
  // Each by its repository and its own place.
  std::map<Place, Register> tags_;
  std::map<Place, Register> manifests_;
  std::map<Place, ManifestState> manifest_states_;
  std::map<Place, LinkState> links_;
  std::map<Place, Promise> promises_;
  std::vector<bool> rotten_;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_MODEL_H_
