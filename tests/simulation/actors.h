#ifndef ENTREPOT_TESTS_SIMULATION_ACTORS_H_
#define ENTREPOT_TESTS_SIMULATION_ACTORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/simulation/world.h"

namespace entrepot::simulation {

// Somebody who pushes, pulls, moves and deletes, one thing after another, and holds what he is told against the model.
class Client {
 public:
  explicit Client(World* world) : world_(*world) {}

  // So many things.
  void Work(int operations);

 private:
  enum class Found { kYes, kNo, kCannotTell };

  void Push();
  // The first time that a blob is not there although it was, it is pushed anew.
  bool PushManifest(size_t repository, size_t manifest, std::optional<size_t> tag);
  bool PutManifest(size_t repository, size_t manifest, std::optional<size_t> tag);
  bool EnsureBlob(size_t repository, size_t blob);
  Found HeadBlob(size_t repository, size_t blob);
  bool MountBlob(size_t repository, size_t blob);
  bool UploadBlob(size_t repository, size_t blob);

  void PullTag();
  void PullImage(size_t repository, size_t manifest);
  void PullBlob(const Model::Call& pull, size_t repository, size_t manifest, size_t blob);

  void DeleteManifest();
  void DeleteTag();
  void UnlinkBlob();
  void DeleteRepository();

  size_t SomeRepository();
  size_t SomeManifest();

  World& world_;
};

// What goes on beside them, for as long as they work.
void Collect(World* world);
void ReapOrphans(World* world);
void Scrub(World* world);

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_ACTORS_H_
