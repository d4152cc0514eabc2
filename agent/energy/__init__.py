"""What an encode costs in energy and money: counters, the idle baseline, estimates, prices."""
