#ifndef ENTREPOT_TESTS_SIMULATION_ACTORS_H_
#define ENTREPOT_TESTS_SIMULATION_ACTORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/simulation/world.h"

namespace entrepot::simulation {

// A client that pushes, pulls, moves and deletes, one operation after another, and compares the answers with the model.
class Client {
 public:
  explicit Client(World* world) : world_(*world) {}

  // Does that number of random operations.
  void Work(int operations);

 private:
  enum class Found { kYes, kNo, kCannotTell };

  void Push();
  // Pushes missing blobs, and then the manifest; starts over once if a blob has disappeared meanwhile. If `partial`,
  // leaves out some of the blobs and children.
  bool PushManifest(size_t repository, size_t manifest, std::optional<size_t> tag, bool partial);
  // `cached`: the content comes from the upstream; so below.
  bool PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag, bool cached);
  bool EnsureBlob(size_t repository, size_t blob);
  Found HeadBlob(size_t repository, size_t blob);
  bool MountBlob(size_t repository, size_t blob);
  bool UploadBlob(size_t repository, size_t blob, bool cached);

  // Pulls the manifest through a cache: stores it, and then some of its blobs and children.
  void Fetch(size_t repository, size_t manifest, std::optional<size_t> tag);
  void FetchBlob(size_t repository, size_t blob);
  Found LinkBlob(size_t repository, size_t blob);
  // The outcome of a push. It may be refused because the repository is hosted or a cache.
  Outcome ClassifyPush(const absl::Status& status, absl::string_view what);

  void PullTag();
  void PullImage(size_t repository, size_t manifest);
  void PullBlob(const Model::Call& pull, size_t repository, size_t manifest, size_t blob);

  void DeleteManifest();
  void DeleteTag();
  void UnlinkBlob();
  void DeleteRepository();
  // Evicts images of the caches: some until a cap is kept, all, or those of one repository.
  void Evict();

  size_t SomeRepository();
  size_t SomeManifest();

  World& world_;
};

// The background work, which runs as long as clients are at work.
void Collect(World* world);
void QuarantineOrphans(World* world);
void Scrub(World* world);
void RenewBinding(World* world);

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_ACTORS_H_
