"""The load engine: the on-demand process and throttle of the live system on a modelled transport and free-running simpy."""
