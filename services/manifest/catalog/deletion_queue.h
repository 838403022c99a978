#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_QUEUE_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_QUEUE_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "prometheus/registry.h"
#include "services/manifest/catalog/repository_remover.h"
#include "services/runtime/threads/bounded_executor.h"

namespace entrepot::manifest {

// The thread on which a process deletes repositories, one after the other: each deletion reads all links of the
// registry. `jobs_max` is collector.repository_deletions_max; `registry` may be null.
std::unique_ptr<runtime::BoundedExecutor> MakeDeletionQueue(size_t jobs_max,
                                                            std::shared_ptr<prometheus::Registry> registry);

// For RegistryCatalog::Options: finishes an interrupted deletion on the queue's thread. If the queue is full, it does
// nothing: the push that needs it is repeated. `remover` is called on that thread; what it returns and `queue` must
// outlive the catalog's last push.
RepositoryRemover::FinishElsewhere FinishOn(runtime::BoundedExecutor* queue,
                                            std::function<RepositoryRemover&()> remover);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_DELETION_QUEUE_H_
