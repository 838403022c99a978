#include "services/runtime/threads/executor.h"

namespace entrepot::runtime {

Executor::Executor(size_t threads) : threads_(threads), pool_(threads) {}

Executor::~Executor() { pool_.join(); }

}  // namespace entrepot::runtime
