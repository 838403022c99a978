#ifndef ENTREPOT_TESTS_SIMULATION_FAULTS_H_
#define ENTREPOT_TESTS_SIMULATION_FAULTS_H_

#include <cstdint>

namespace entrepot::simulation {

// Each happens once in so many times; 0: never.
struct Faults {
  uint64_t kv_read_fails = 0;
  // Nothing is written.
  uint64_t kv_commit_fails = 0;
  // It is written, but the answer is lost.
  uint64_t kv_answer_lost = 0;
  // The engine wants it again.
  uint64_t kv_aborts = 0;
  // Before, and after the effect.
  uint64_t object_call_fails = 0;
  uint64_t object_answer_lost = 0;
  // A failpoint in the code under test fails.
  uint64_t failpoint_fails = 0;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_FAULTS_H_
