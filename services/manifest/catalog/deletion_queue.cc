#include "services/manifest/catalog/deletion_queue.h"

#include <utility>

#include "services/runtime/log/json_log.h"

namespace entrepot::manifest {

std::unique_ptr<runtime::BoundedExecutor> MakeDeletionQueue(size_t jobs_max,
                                                            std::shared_ptr<prometheus::Registry> registry) {
  return std::make_unique<runtime::BoundedExecutor>(
      runtime::BoundedExecutor::Options{.name = "repository_deletions",
                                        .jobs = "deletions of repositories",
                                        .setting = "collector.repository_deletions_max",
                                        .threads = 1,
                                        .jobs_max = jobs_max,
                                        .registry = std::move(registry)});
}

RepositoryRemover::FinishElsewhere FinishOn(runtime::BoundedExecutor* queue,
                                            std::function<RepositoryRemover&()> remover) {
  return [queue, remover = std::move(remover)](const RepositoryName& repository) {
    absl::StatusOr<runtime::BoundedExecutor::Place> place = queue->Reserve(/*owner=*/"");
    if (!place.ok()) return;
    queue->threads().Post([remover, repository, place = *std::move(place)] {
      const absl::Status status = remover().FinishInterrupted(repository);
      if (status.ok()) return;
      runtime::Log(runtime::LogLevel::kWarning, "the rest of a deleted repository could not be removed",
                   {{"repository", repository.ToString()}, {"error", status.message()}});
    });
  };
}

}  // namespace entrepot::manifest
