#ifndef ENTREPOT_TESTS_SIMULATION_FAULTS_H_
#define ENTREPOT_TESTS_SIMULATION_FAULTS_H_

#include <cstdint>

namespace entrepot::simulation {

// How often faults happen: each once in that many times on average; 0: never.
struct Faults {
  uint64_t kv_read_fails = 0;
  // The commit fails and writes nothing.
  uint64_t kv_commit_fails = 0;
  // The commit succeeds, but its answer is lost.
  uint64_t kv_answer_lost = 0;
  // The engine aborts the transaction, which must be retried.
  uint64_t kv_aborts = 0;
  // A call of the object store fails before, or after its effect.
  uint64_t object_call_fails = 0;
  uint64_t object_answer_lost = 0;
  // A failpoint in the code under test fails.
  uint64_t failpoint_fails = 0;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_FAULTS_H_
