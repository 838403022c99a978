#ifndef ENTREPOT_TESTS_SIMULATION_PROCESS_H_
#define ENTREPOT_TESTS_SIMULATION_PROCESS_H_

#include <string>
#include <utility>

namespace entrepot::simulation {

// One life of a process. Once it is dead, nothing that it asks of the world has an effect, and every answer is
// kUnavailable: its code runs to an end of its own, as if it had never gone on.
struct Process {
  explicit Process(std::string process_name) : name(std::move(process_name)) {}

  const std::string name;
  bool alive = true;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_PROCESS_H_
